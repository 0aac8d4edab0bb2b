"""The table that `python -m benchmarks` prints."""

from __future__ import annotations

from typing import Any

HEAD = """| case | records | floor, records/s | gateway, records/s | ratio | floor, CPU µs | gateway, CPU µs | of CPU |
| --- | --: | --: | --: | --: | --: | --: | --: |
"""


def markdown(summary: dict[str, Any]) -> str:
    """The summary as a page."""
    machine = summary["machine"]
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    rows = "".join(_row(name, case) for name, case in summary["cases"].items())
    per_record = ", ".join(f"{table} {count:g}" for table, count in summary["rows_per_record"].items())
    disk = {name: (case["floor"]["disk_mib"], case["gateway"]["disk_mib"]) for name, case in summary["cases"].items()}
    sizes = "; ".join(f"{name}: {floor:.1f} and {ours:.1f}" for name, (floor, ours) in disk.items())
    return (
        f"# Pull, measured against its floor\n\n{HEAD}{rows}\n"
        f"- Medians of {summary['rounds']} rounds in turn, {summary['seconds']} s in all; the ratio is of each round.\n"
        f"- Rows per new dossier: {per_record} ({sum(summary['rows_per_record'].values()):g} together).\n"
        f"- Peak memory of the gateway: {summary['peak_mib_few']:.0f} MiB for {summary['few_records']} records, "
        f"{summary['peak_mib']:.0f} MiB for all.\n"
        f"- MiB on disk, floor and gateway: {sizes}.\n"
        f"- Requests of the sweep, the same for both: {summary['requests_of_sweep']}.\n"
        f"- Machine: {told}.\n"
    )


def _row(name: str, case: dict[str, Any]) -> str:
    records, floor, ours = case["records"], case["floor"], case["gateway"]
    speeds = f"{records / floor['seconds']:.0f} | {records / ours['seconds']:.0f} | {case['ratio']:.2f}"
    cpu = f"{floor['cpu_s'] / records * 1e6:.0f} | {ours['cpu_s'] / records * 1e6:.0f} | {case['cpu_ratio']:.2f}"
    return f"| {name} | {records} | {speeds} | {cpu} |\n"
