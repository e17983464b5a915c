# make check: all that CI checks, in fresh environments.  make quick: the same in the environment you stand in, less the installs.

.PHONY: check quick format messages

check:
	.ci/run

quick:
	ruff format --check .
	ruff check .
	mypy
	npx --yes --package typescript@5.9 tsc -p jsconfig.json
	pytest

format:
	ruff format .
	ruff check --fix .

messages:
	mkdir -p build
	pybabel extract --no-wrap --no-location --sort-output --output build/pasapas.pot src
	pybabel update --no-wrap --ignore-obsolete --no-fuzzy-matching --ignore-pot-creation-date --locale fr --domain pasapas \
		--input-file build/pasapas.pot --output-dir src/pasapas/locale
	python -c "import hatch_build; hatch_build.compile_catalogues()"
