A user looks at what an environment is built from, and meets what it cannot be.

  $ cp -r "$SAMPLES/hello" . && cd hello
  $ sed -i 's|image: .*|image: localep/base:latest|' deployment.yml

The Dockerfile, and the whole build context.

  $ localep render -f deployment.yml
  # The environment of an online deployment, rendered by localep.
  FROM localep/base:[0-9a-f]{12} (re)
  
  RUN uv venv --quiet --no-python-downloads --python 3.11 \
          /opt/localep/env
  COPY finish_environment.py requirements.txt /opt/localep/
  RUN --mount=type=cache,id=localep-uv,target=/root/.cache/uv \
      --mount=type=secret,id=localep-ca \
      --mount=type=secret,id=localep-settings \
      localep-build uv pip install --python /opt/localep/env \
          --requirements /opt/localep/requirements.txt \
   && /opt/localep/env/bin/python /opt/localep/finish_environment.py >/opt/localep/packages.json
  
  ENV PATH=/opt/localep/env/bin:$PATH
  WORKDIR /var/azureml-app
  EXPOSE 5001
  LABEL localep.role=environment
  LABEL localep.root=[0-9a-f]{12} localep.lines="[0-9a-f]{12}" localep.growth=0 (re)
  $ localep render -f deployment.yml --to context
  context/Dockerfile
  context/finish_environment.py
  context/requirements.txt
  $ cat context/requirements.txt
  azureml-inference-server-http

The image alone.

  $ localep build -f deployment.yml 2>log | sed 's/^Here already:/Built/'
  Built localep/env:[0-9a-f]{16} (re)

Another Python than the base image has comes from conda's channels, of which none answers here.

  $ export CONDA_CHANNEL_ALIAS=http://127.0.0.1:9
  $ sed -i 's/python=3.11/python=3.8/' conda.yml
  $ localep build -f deployment.yml
  Warning: */conda.yml:5:5: dependencies.0: python=3.8 has had no corrections since October 2024. Raise python in the conda file to a release that is still supported. (glob)
  Solving the conda environment
  Error: The conda channel http://127.0.0.1:9/conda-forge does not answer.
  Cause: 127.0.0.1: Connection refused. PyPI cannot stand in for it: The conda file asks for python=3.8. localep/base:[0-9a-f]{12} has Python 3.11. (re)
  Remedy: Check the network, or name a mirror as `channel_alias` or under `custom_channels` in .condarc. Or use --python 3.11 to run with that one all the same, or change the conda file to python=3.11.
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
  context/finish_environment.py
  context/requirements.txt
  $ cat context/requirements.txt
  six
  azureml-inference-server-http

Conda packages, from channels and from PyPI.

  $ export CONDA_CHANNEL_ALIAS=https://conda.example
  $ sed -i 's/  - pip$/  - numpy=2.3\n  - cudatoolkit/' conda.yml
  $ localep render -f deployment.yml --to context 2>log
  context/Dockerfile
  context/finish_environment.py
  context/requirements.txt
  context/conda.json
  $ sed -n '/specs/,/channels/p' context/conda.json
   "specs": [
    "python=3.11",
    "numpy=2.3",
    "cudatoolkit"
   ],
   "channels": [
  $ localep render -f deployment.yml --solver pypi --to context
  Warning: */conda.yml:9:7: dependencies.3.pip: azureml-inference-server-http is missing; localep adds it, the cloud does not. Add azureml-inference-server-http to the list under `pip:`. (glob)
  Warning: Taken from PyPI in the place of conda's channels: numpy==2.3.*. Left out, as wheels and Python bring what they need of it: cudatoolkit.
  context/Dockerfile
  context/finish_environment.py
  context/requirements.txt
  $ cat context/requirements.txt
  numpy==2.3.*
  six
  azureml-inference-server-http
  $ sed -i 's/cudatoolkit/nvidia-apex/' conda.yml
  $ localep build -f deployment.yml --solver pypi 2>&1 | grep -v six | tail -3
  Error: The conda file asks for packages that PyPI has no twin of.
  Cause: They are nvidia-apex.
  Remedy: Take them from conda's channels with --solver conda, or name what replaces them in the list under `pip:`.
