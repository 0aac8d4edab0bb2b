"""A gateway process that pulls and delivers until it is killed. Argument: its configuration as a JSON file."""

import random
import sys
from pathlib import Path

import orjson

from gateway.bootstrap import open_gateway
from gateway.config import Config
from tests.integration.engine.town import PORTALS, SECRETS


def main(path: str) -> None:
    config = Config.model_validate(orjson.loads(Path(path).read_bytes()))
    with open_gateway(config, environ=SECRETS, rng=random.Random(1)) as gateway:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for name in PORTALS:
                gateway.engine.pull(name)
            for name in PORTALS:
                gateway.engine.deliver(name)
            for fetcher in gateway.fetchers.values():
                fetcher.run()


if __name__ == "__main__":
    main(sys.argv[1])
