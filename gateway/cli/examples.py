"""What `lienthong VERB --help` shows below the options: at least one whole command line for every verb."""

from typing import Any

from gateway.cli.language import t

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": ("lienthong run", "lienthong run --config /etc/lienthong/config.yaml"),
    "sync": ("lienthong sync --dry-run", "lienthong sync province", "lienthong sync --until-rest --for 60"),
    "status": ("lienthong status", "lienthong status --json"),
    "dossier show": ("lienthong dossier show H99.19-261118-00001",),
    "dossier link": ("lienthong dossier link national 000.00.19.H99-261118-0001 H99.19-261118-00001",),
    "dossier unlink": ("lienthong dossier unlink national 000.00.19.H99-261118-0001",),
    "lanes": ("lienthong lanes", "lienthong lanes --portal national --state waiting"),
    "parked list": ("lienthong parked list --portal national",),
    "parked retry": ("lienthong parked retry 42",),
    "parked confirm": ("lienthong parked confirm 42 --arrived", "lienthong parked confirm 42 --not-arrived"),
    "parked drop": (
        t(
            "lienthong parked drop 42 --reason 'entered by hand'",
            "lienthong parked drop 42 --reason 'đã nhập bằng tay'",
        ),
    ),
    "quarantine list": ("lienthong quarantine list --portal province",),
    "quarantine show": ("lienthong quarantine show 7", "lienthong quarantine show 7 --raw-to record.json"),
    "quarantine replay": ("lienthong quarantine replay 7",),
    "calls list": ("lienthong calls list --portal national --state refused",),
    "calls show": ("lienthong calls show 12", "lienthong calls show 12 --raw-to call.json"),
    "files list": ("lienthong files list", "lienthong files list --all --portal justice"),
    "files retry": ("lienthong files retry H99.19-261118-00001",),
    "files let-go": (
        t(
            "lienthong files let-go H99.19-261118-00001 --reason 'handed over on paper'",
            "lienthong files let-go H99.19-261118-00001 --reason 'đã giao bản giấy'",
        ),
    ),
    "reconcile": ("lienthong reconcile national",),
    "backfill": ("lienthong backfill province",),
    "adopt": (
        "lienthong adopt national --from 2026-07-01 --dry-run",
        "lienthong adopt national --from 2026-07-01T08:00",
    ),
    "pause": (
        t(
            "lienthong pause national --reason 'asked by the portal'",
            "lienthong pause national --reason 'cổng yêu cầu'",
        ),
        t("lienthong pause all --reason 'moving house'", "lienthong pause all --reason 'chuyển máy chủ'"),
    ),
    "resume": ("lienthong resume national", "lienthong resume all"),
    "mapping check": ("lienthong mapping check", "lienthong mapping check ours.yaml"),
    "mapping try": ("lienthong mapping try record.json --mapping opencps/v2-2020",),
    "mapping diff": ("lienthong mapping diff npsp/v1.4-2020 npsp/v2-2024 samples/",),
    "route explain": ("lienthong route explain H99.19-261118-00001",),
    "route apply": ("lienthong route apply --since 2026-07-01",),
    "route simulate": (
        "lienthong route simulate --since 2026-07-01",
        "lienthong route simulate --since 2026-07-01 --rules new.yaml",
    ),
    "handover list": ("lienthong handover list --late", "lienthong handover list --portal justice --all"),
    "receipt list": ("lienthong receipt list H99.19-261118-00001",),
    "receipt show": ("lienthong receipt show 12",),
    "receipt export": ("lienthong receipt export 12 /srv/receipts",),
    "receipt verify": ("lienthong receipt verify receipt-12.json --key receipt-0123456789abcdef.pem",),
    "keys list": ("lienthong keys list",),
    "keys rotate": ("lienthong keys rotate receipt",),
    "keys export": ("lienthong keys export /srv/keys",),
    "config check": ("lienthong config check", "lienthong config check --config new.yaml"),
    "config explain": ("lienthong config explain",),
    "backup": ("lienthong backup /srv/backups",),
    "restore": ("lienthong restore /srv/backups/store-20261118T010203Z.json",),
    "inbox list": ("lienthong inbox list",),
    "inbox key": (
        "lienthong inbox key add health --days 90",
        "lienthong inbox key list",
        "lienthong inbox key revoke 0123456789abcdef",
    ),
    "simulate": (
        "lienthong simulate --inbox --dossiers 50",
        "lienthong simulate --dossiers 12",
        "lienthong simulate national --for 600",
    ),
    "demo": ("lienthong demo", "lienthong demo --dossiers 1000 --faults heavy --seed 7 --kill 10 --page demo.html"),
    "doctor": ("lienthong doctor",),
}
"""Verb -> command lines, in the order shown."""


def epilog(verb: str) -> str | None:
    """The examples of a verb as the last paragraph of its help; the mark keeps click from joining lines."""
    lines = EXAMPLES.get(verb)
    return "\n".join(("\b", t("Examples:", "Ví dụ:"), *(f"  {line}" for line in lines))) if lines else None


def show_examples(command: Any, name: str) -> None:
    """Give a command, or each verb of a group of verbs, its examples."""
    command.epilog = epilog(name)
    for verb, inner in getattr(command, "commands", {}).items():
        inner.epilog = epilog(f"{name} {verb}")
