An endpoint first, its deployment later, and no second one.

  $ cp -r "$SAMPLES/hello" . && cd hello
  $ sed -i 's|image: .*|image: localep/base:latest|; s|DS3_v2|F2s_v2|' deployment.yml

  $ localep create -f endpoint.yml | sed 's/(.* s)/(N s)/'
  Created hello: no deployment yet (N s).
    scoring URI  http://127.0.0.1:\d+/score (re)
  $ localep invoke -r sample-request.json
  The endpoint has no deployment.
  Error: The endpoint answered 404 Not Found.
  Remedy: See `localep show -n hello` for its deployment and traffic.
  [7]
  $ localep get-logs
  Error: Endpoint hello has no deployment.
  Cause: It has none.
  Remedy: Look with `localep show -n hello`.
  [8]
  $ localep update -f deployment.yml
  Error: Endpoint hello has no deployment to update.
  Remedy: Create it: localep create -f deployment.yml
  [8]
  $ localep create -f endpoint.yml -f deployment.yml
  Error: Endpoint hello exists already.
  Remedy: Create the deployment alone: leave the endpoint's file out.
  [8]
  $ localep create -f deployment.yml | sed 's/after .* s/after N s/'
  Created hello, deployment blue: ready after N s.
    scoring URI  http://127.0.0.1:\d+/score (re)
  $ localep create -f deployment.yml --set name=green
  Error: Endpoint hello has a deployment already.
  Cause: It is blue; a local endpoint runs one deployment, so green has no place beside it.
  Remedy: Remove blue first (localep delete -n hello --deployment blue), or create green under another endpoint's name with -n.
  [8]
  $ localep delete --deployment green --yes
  Error: Endpoint hello has no deployment green.
  Cause: It has blue.
  Remedy: Look with `localep show -n hello`.
  [8]
  $ localep delete --deployment blue --yes
  Deleted deployment blue of hello.
  $ localep show | tail -n 2
  traffic              none, as there is no deployment
  last operation       delete: Succeeded
  $ localep delete --yes
  Deleted hello.
