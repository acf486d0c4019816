What is wrong with the YAML is said before anything is built.

  $ cp -r "$SAMPLES/hello" . && cd hello

Files that are no documents.

  $ localep create -f nowhere.yml
  Error: nowhere.yml is not there.
  Remedy: Check the path given with -f.
  [3]
  $ : >empty.yml; localep create -f empty.yml
  Error: */empty.yml is empty. (glob)
  Cause: There is no YAML document in it.
  Remedy: Write the endpoint or deployment into it.
  [3]
  $ printf 'name: {{NAME}}\n' >placeholder.yml; localep create -f placeholder.yml
  Error: */placeholder.yml:1:8 is not valid YAML. (glob)
  Cause: * (glob)
  Remedy: Fill it with --var NAME=value.
  [3]

Every mistake at once, each with its place.

  $ cat >deployment.yml <<'EOF'
  > name: blue
  > endpoint_name: hello
  > instance_typ: Standard_DS3_v2
  > instance_count: many
  > model:
  >   path: ./model
  > code_configuration:
  >   code: code
  >   scoring_script: main.py
  > environment:
  >   conda_file: conda.yml
  > EOF
  $ localep create -f deployment.yml
  Error: The YAML has 5 errors.
    */deployment.yml:6:9: model.path: there is no file or folder at */hello/model. Paths start from the folder of the YAML file. (glob)
    */deployment.yml:9:19: code_configuration.scoring_script: there is no file main.py in */hello/code. The path of the script starts from the code folder. (glob)
    */deployment.yml:1:1: `instance_type` is missing. (glob)
    */deployment.yml:4:17: instance_count: should be a whole number, not 'many'. (glob)
    */deployment.yml:3:15: instance_typ: is not a known key here. Did you mean `instance_type`? (glob)
  Remedy: Correct the places named above and try again.
  [3]
  $ localep list
  There is no endpoint.
