A user tries the sample `hello`, changes its script, breaks it, and mends it.

  $ cp -r "$SAMPLES/hello" . && cd hello
  $ sed -i 's|image: .*|image: localep/base:latest|; s|DS3_v2|F2s_v2|' deployment.yml

Nothing is there yet.

  $ localep list
  There is no endpoint.
  $ localep show
  Error: There is no endpoint.
  Remedy: Create one: localep create -f endpoint.yml -f deployment.yml
  [8]

The endpoint is created and answers.

  $ localep create -f endpoint.yml -f deployment.yml --port "$PORT" | sed 's/after .* s/after N s/'
  Created hello, deployment blue: ready after N s.
    scoring URI  http://127.0.0.1:\d+/score (re)
  $ localep invoke --request-file sample-request.json
  {"greeting": "Hello, world!"} (no-eol)
  $ echo '{"name": "you"}' | localep invoke -r -
  {"greeting": "Hello, you!"} (no-eol)
  $ localep get-logs | grep greeting
  * azmlinfsrv.print - greeting world (glob)
  * azmlinfsrv.print - greeting you (glob)

It is shown to people and to programs.

  $ localep show
  name                 hello
  state                Succeeded
  scoring URI          http://127.0.0.1:\d+/score (re)
  OpenAPI URI          http://127.0.0.1:\d+/swagger.json (re)
  authentication       key
  traffic              blue 100 %
  last operation       create: Succeeded
  
  deployment           blue
  state                Succeeded, running
  instances            1 of 1 ready
  instance type        Standard_F2s_v2
  image                localep/env:[0-9a-f]{16} \(for localep/base:latest\) (re)
  code                 */hello/code (glob)
  scoring script       score.py
  request timeout      5000 ms
  concurrent requests  1
  limits               2 CPUs, 4 GiB of memory
  memory               [\d.]+ MiB of 4 GiB \([\d.]+ MiB at most\) (re)
  $ localep list
  NAME   STATE      DEPLOYMENT  STATUS   SCORING URI
  hello  Succeeded  blue        running  http://127.0.0.1:\d+/score (re)
  $ localep show -o tsv --query '[name, provisioning_state, location, auth_mode]'
  hello
  Succeeded
  local
  key
  $ localep show -o tsv --query 'deployments[0].instance_type'
  Standard_F2s_v2
  $ localep show -o yaml --query traffic
  blue: 100
  $ localep show -o json --query 'deployments[].name'
  [
    "blue"
  ]
  $ localep list -o table --query '[].{name: name, state: provisioning_state}'
  name   state
  hello  Succeeded
  $ localep show -o none

A new script takes over with an update, and not before.

  $ sed -i 's/{name}!"/dear {name}!"/' code/score.py
  $ localep invoke -r sample-request.json
  {"greeting": "Hello, world!"} (no-eol)
  $ localep update | sed 's/after .* s/after N s/'
  Updated hello, deployment blue: ready after N s.
    scoring URI  http://127.0.0.1:\d+/score (re)
  $ localep invoke -r sample-request.json
  {"greeting": "Hello, dear world!"} (no-eol)
  $ localep update
  hello is as the YAML says already; nothing changed.

A broken script does not; the error shows why.

  $ cp code/score.py good.py
  $ echo 'import nowhere' >>code/score.py
  $ localep update
  Error: The deployment did not get ready.
  Cause: The scoring script could not be imported (import-error; the cloud says `User container has crashed or terminated: Liveness probe failed … 502`). ModuleNotFoundError: No module named 'nowhere'
    Traceback (most recent call last):
      File "/var/azureml-app/code/score.py", line \d+, in <module> (re)
        import nowhere
    ModuleNotFoundError: No module named 'nowhere'
    The server ended with exit code 3.
  Remedy: Add the package that has nowhere to the list under `pip:` in the conda file, or the module to the code folder.
  [6]
  $ localep invoke -r sample-request.json
  {"greeting": "Hello, dear world!"} (no-eol)
  $ localep show | grep operation
  last operation       update: Failed. The deployment did not get ready. The scoring script could not be imported (import-error; the cloud says `User container has crashed or terminated: Liveness probe failed … 502`). ModuleNotFoundError: No module named 'nowhere'
  $ cp good.py code/score.py
  $ localep update --set environment_variables.GREETING=Welcome >log
  $ localep invoke -r sample-request.json
  {"greeting": "Welcome, dear world!"} (no-eol)

An error of the script reaches the caller as in the cloud.

  $ echo '{}' | localep invoke -r -
  {"message": "An unexpected error occurred in scoring script. Check the logs for more info."}
  Error: The endpoint answered 424 Failed Dependency.
  Cause: run() failed (run-raises). KeyError: 'name'
    Traceback (most recent call last):
      File "/var/azureml-app/code/score.py", line \d+, in run (re)
        .* (re)
  .*\^* (re)
    KeyError: 'name'
  Remedy: Correct what the traceback names.
  [7]
  $ localep get-logs 2>/dev/null | grep KeyError
  KeyError: 'name'

It is deleted.

  $ localep delete --yes
  Deleted hello.
  $ localep list
  There is no endpoint.
