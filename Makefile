.PHONY: bench demo test

bench:
	sh scripts/bench.sh

demo:
	sh scripts/demo.sh

test:
	sh scripts/test.sh
