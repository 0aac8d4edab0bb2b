# The whole list: setup, demo, test, check, bench, soak. `make demo` and `make test` do their own set-up.
.PHONY: setup demo test check bench soak

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml .ci/setup
	.ci/setup
