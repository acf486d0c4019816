A user looks at what an environment is built from, and meets what it cannot be.

  $ cp -r "$SAMPLES/hello" . && cd hello
  $ sed -i 's|image: .*|image: localep/base:latest|' deployment.yml

The Dockerfile, and the whole build context.

  $ localep render -f deployment.yml
  # The environment of an online deployment, rendered by localep.
  FROM localep/base:[0-9a-f]{12} (re)
  
  RUN uv venv --quiet --no-python-downloads --python 3.11 \
          /opt/localep/env
  COPY requirements.txt /opt/localep/requirements.txt
  RUN --mount=type=cache,id=localep-uv,target=/root/.cache/uv \
      --mount=type=secret,id=localep-ca \
      --mount=type=secret,id=localep-settings \
      localep-build uv pip install --python /opt/localep/env --compile-bytecode \
          --requirements /opt/localep/requirements.txt
  
  ENV PATH=/opt/localep/env/bin:$PATH
  WORKDIR /var/azureml-app
  EXPOSE 5001
  LABEL localep.role=environment
  $ localep render -f deployment.yml --to context
  context/Dockerfile
  context/requirements.txt
  $ cat context/requirements.txt
  azureml-inference-server-http

The image alone.

  $ localep build -f deployment.yml 2>log | sed 's/^Here already:/Built/'
  Built localep/env:[0-9a-f]{16} (re)

Another Python than the base image has.

  $ sed -i 's/python=3.11/python=3.8/' conda.yml
  $ localep build -f deployment.yml
  Warning: */conda.yml:5:5: dependencies.0: python=3.8 has had no corrections since October 2024. Raise python in the conda file to a release that is still supported. (glob)
  Error: The conda file asks for python=3.8.
  Cause: localep/base:[0-9a-f]{12} has Python 3.11. (re)
  Remedy: Use --python 3.11 to run with that one all the same, or change the conda file to python=3.11.
  [5]
  $ localep build -f deployment.yml --python 3.11 2>&1 | sed 's/^Here already:/Built/'
  Warning: */conda.yml:5:5: dependencies.0: python=3.8 has had no corrections since October 2024. Raise python in the conda file to a release that is still supported. (glob)
  Warning: The conda file asks for python=3.8; Python 3.11 is used instead.
  Built localep/env:[0-9a-f]{16} (re)

A conda file without the inference server.

  $ sed -i 's/python=3.8/python=3.11/; s/- azureml-inference-server-http/- six/' conda.yml
  $ localep render -f deployment.yml --to context
  Warning: */conda.yml:8:7: dependencies.2.pip: azureml-inference-server-http is missing; localep adds it, the cloud does not. Add azureml-inference-server-http to the list under `pip:`. (glob)
  context/Dockerfile
  context/requirements.txt
  $ cat context/requirements.txt
  six
  azureml-inference-server-http

Conda packages.

  $ sed -i 's/  - pip$/  - numpy=2.3/' conda.yml
  $ localep build -f deployment.yml
  Warning: */conda.yml:8:7: dependencies.2.pip: azureml-inference-server-http is missing; localep adds it, the cloud does not. Add azureml-inference-server-http to the list under `pip:`. (glob)
  Error: The conda file asks for conda packages.
  Cause: They are numpy=2.3; pip's list is all that is installed.
  Remedy: Move them to the list under `pip:`, with == for =.
  [5]
