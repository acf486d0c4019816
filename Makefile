.PHONY: demo test

demo:
	sh scripts/demo.sh

test:
	sh scripts/test.sh
