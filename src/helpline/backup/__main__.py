"""The process of the daily copy: `python -m helpline.backup`, started by engine/backups.

It stands behind everything else on the machine. What it needs to know comes as one line of JSON on
standard input, because a command line can be read by others; what came of it goes back like that.
"""

import json
import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from helpline.backup.folder import copy_into
from helpline.log import where


def main() -> None:
    os.nice(19)
    asked = json.loads(sys.stdin.readline())
    try:
        copied = copy_into(
            Path(asked["folder"]),
            asked["url"],
            bytes.fromhex(asked["backup_key"]),
            [bytes.fromhex(key) for key in asked["keys"]],
            datetime.fromisoformat(asked["now"]),
            lambda *_: None,
        )
    except Exception as error:  # its words may quote what it could not use
        print(json.dumps({"failure": where(error)}))
    else:
        print(json.dumps(asdict(copied)))


if __name__ == "__main__":
    main()
