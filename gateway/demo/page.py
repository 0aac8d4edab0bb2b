"""The demo's page: one HTML file with a picture of the flows and the figures; nothing is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gateway.demo.catalogue import JUSTICE, NATIONAL, PROVINCE, TRANSPORT
from gateway.demo.outcome import Kill, Outcome
from gateway.language import language, t

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1d2733;background:#fff}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.word{font-weight:600;padding:.1rem .6rem;border-radius:.3rem;color:#fff;background:#1f7a4d}
.word.bad{background:#a8322a}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d9dfe6}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto;margin-top:1rem}
@media (prefers-color-scheme:dark){body{color:#e6ebf0;background:#151a20}th,td{border-color:#333c46}
svg .box{fill:#1e2730;stroke:#7d8ea1}svg text{fill:#e6ebf0}svg .line{stroke:#7d8ea1}}
"""


def page(outcome: Outcome) -> str:
    """The whole page, in the language of whoever runs the demo."""
    title = t("A demo of Liên Thông", "Diễn tập Liên Thông")
    word = t("all ends agree", "mọi cổng khớp nhau") if outcome.good else t("something is wrong", "có sai lệch")
    about = t(
        f"{outcome.dossiers} dossiers, faults {outcome.faults}, seed {outcome.seed}, {outcome.seconds} s",
        f"{outcome.dossiers} hồ sơ, lỗi {outcome.faults}, hạt giống {outcome.seed}, {outcome.seconds} giây",
    )
    return "\n".join(
        (
            f'<!doctype html><html lang="{language()}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f'<h1>{title} <span class="word{"" if outcome.good else " bad"}">{word}</span></h1><p>{escape(about)}</p>',
            picture(outcome),
            _table(t("What the books say", "Sổ của các cổng cho biết"), figures(outcome)),
            _faults(outcome),
            _kills(outcome),
            _findings(outcome),
            "</body></html>",
        )
    )


def figures(outcome: Outcome) -> list[tuple[str, str]]:
    """The figures in words, in the order people look for them."""
    return [
        (t("effects due", "việc phải đến nơi"), str(outcome.expected_effects)),
        (t("lost", "mất"), str(outcome.lost)),
        (t("duplicated", "trùng"), str(outcome.duplicated)),
        (t("invented", "bịa thêm"), str(outcome.invented)),
        (t("legal dates moved", "ngày pháp lý bị đổi"), str(outcome.legal_dates_moved)),
        (t("writes after rest", "ghi sau khi đã yên"), str(outcome.writes_after_rest)),
        (t("rounds to rest after the faults ended", "số vòng đến khi yên sau khi hết lỗi"), str(outcome.rounds)),
        (
            t("uncertain calls settled by the gateway", "lần gửi không rõ, hệ thống tự xác minh"),
            str(outcome.unknown_settled),
        ),
        (t("unproven, listed for a person", "không chứng minh được, chờ người"), str(outcome.unproven)),
        (t("settled by a person", "người xác minh"), str(outcome.settled_by_person)),
        (t("parked", "dừng chờ người"), str(outcome.parked)),
        (t("quarantined", "cách ly"), str(outcome.quarantined)),
        (t("pushed by the national portal", "Cổng quốc gia đẩy về"), str(outcome.told.get("pushes", 0))),
        (t("calls of the ministry on us", "bộ gọi lại"), str(outcome.told.get("callbacks", 0))),
        (t("taken and then missing", "đã nhận nhưng thiếu"), str(outcome.missing_acknowledged)),
        (
            t("wrong answers, second zeros", "trả lời sai, trả 0 hai lần"),
            f"{outcome.wrong_answers}, {outcome.double_zero}",
        ),
        (t("calls hurt", "lần gọi bị lỗi"), f"{_struck(outcome)} / {sum(outcome.calls.values())}"),
        (t("kills", "lần bị giết tiến trình"), str(len(outcome.kills))),
    ]


def _struck(outcome: Outcome) -> int:
    return sum(sum(counts.values()) for counts in outcome.faults_injected.values())


def _due(outcome: Outcome, portal: str, *classes: str) -> int:
    return sum(outcome.due.get(portal, {}).get(name, 0) for name in classes)


def picture(outcome: Outcome) -> str:
    """Inline SVG: portals as boxes, the gateway between them, and on each line how many effects were due there."""
    copies, rows = _due(outcome, "national", "snapshot"), _due(outcome, "national", "append")
    national = t(f"{copies} copies · {rows} progress rows", f"{copies} bản sao · {rows} dòng tiến độ")
    transport = _due(outcome, "transport", "command")
    justice = _due(outcome, "justice", "command")
    back = _due(outcome, "province", "command")
    pushes, told = outcome.told.get("pushes", 0), outcome.told.get("callbacks", 0)
    handed = t("handed over", "chuyển")
    parts = [
        '<svg viewBox="0 0 900 400" role="img" aria-label="'
        + t("flows between the portals", "luồng giữa các cổng")
        + '"><defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="#5b6b7c"/></marker></defs>',
        _box(20, 160, 190, t("Province", "Cổng của tỉnh"), "opencps", outcome.calls.get(PROVINCE, 0)),
        _box(345, 160, 190, "Liên Thông", t("the gateway", "hệ thống"), None),
        _box(690, 20, 190, t("National portal", "Cổng DVC quốc gia"), "npsp", outcome.calls.get(NATIONAL, 0)),
        _box(690, 160, 190, t("Transport", "Bộ Giao thông vận tải"), "nsw", outcome.calls.get(TRANSPORT, 0)),
        _box(690, 300, 190, t("Justice", "Bộ Tư pháp"), "civil_status", outcome.calls.get(JUSTICE, 0)),
        _line(212, 185, 343, 185, t("sweeps", "quét"), 277, 177),
        _line(343, 215, 212, 215, t(f"{back} acts", f"{back} thao tác"), 277, 235),
        _line(537, 180, 688, 70, national, 720, 130),
        _line(537, 185, 688, 185, f"{transport} {handed}", 612, 178),
        _line(537, 216, 688, 312, f"{justice} {handed}", 575, 284),
        _line(688, 45, 400, 158, t(f"{pushes} pushed", f"đẩy {pushes} hồ sơ"), 480, 110),
        _line(688, 210, 537, 210, t(f"{told} call-backs", f"gọi lại {told} lần"), 622, 226),
        _line(688, 365, 400, 242, t("polls: results", "hỏi kết quả"), 505, 332),
        "</svg>",
    ]
    return "".join(parts)


def _box(x: int, y: int, wide: int, name: str, kind: str, calls: int | None) -> str:
    said = kind if calls is None else t(f"{kind} · {calls} calls", f"{kind} · {calls} lần gọi")
    middle = x + wide // 2
    return (
        f'<rect class="box" x="{x}" y="{y}" width="{wide}" height="80" rx="8" fill="#eef3f8" stroke="#5b6b7c"/>'
        f'<text x="{middle}" y="{y + 35}" text-anchor="middle" font-size="17" font-weight="600">{escape(name)}</text>'
        f'<text x="{middle}" y="{y + 58}" text-anchor="middle" font-size="13">{escape(said)}</text>'
    )


def _line(x1: int, y1: int, x2: int, y2: int, said: str, x: int, y: int) -> str:
    return (
        f'<line class="line" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#5b6b7c" stroke-width="2"'
        f' marker-end="url(#tip)"/><text x="{x}" y="{y}" text-anchor="middle" font-size="13">{escape(said)}</text>'
    )


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><td>{escape(name)}</td><td class="n">{escape(value)}</td></tr>' for name, value in rows)
    return f"<h2>{escape(title)}</h2><table>{cells}</table>"


def _faults(outcome: Outcome) -> str:
    portals = [name for name, counts in outcome.faults_injected.items() if counts]
    if not portals:
        return ""
    kinds = sorted({kind for name in portals for kind in outcome.faults_injected[name]})
    heads = "".join(f'<th class="n">{escape(name)}</th>' for name in portals)
    rows = "".join(
        f"<tr><td>{escape(kind)}</td>"
        + "".join(f'<td class="n">{outcome.faults_injected[name].get(kind, 0) or ""}</td>' for name in portals)
        + "</tr>"
        for kind in kinds
    )
    return f"<h2>{t('Faults', 'Lỗi đã gây ra')}</h2><table><tr><th></th>{heads}</tr>{rows}</table>"


def _kills(outcome: Outcome) -> str:
    if not outcome.kills:
        return ""
    rows = [
        (
            f"{kill.at_s} s",
            ", ".join(f"{name} {count}" for name, count in _in_flight(kill).items())
            or t("nothing in flight", "không có lần gọi nào đang chạy"),
        )
        for kill in outcome.kills
    ]
    return _table(t("Kills, and what was in flight", "Các lần giết tiến trình, và việc đang chạy"), rows)


def _in_flight(kill: Kill) -> dict[str, int]:
    """Portal -> calls to it, and calls of it on the gateway."""
    calls = {**kill.requests, **kill.begun}
    return calls | {t(f"{name} to us", f"{name} gọi tới"): count for name, count in kill.told.items()}


def _findings(outcome: Outcome) -> str:
    if not outcome.findings:
        return ""
    items = "".join(f"<li>{escape(one)}</li>" for one in outcome.findings[:200])
    return f"<h2>{t('What is wrong', 'Sai lệch')}</h2><ul>{items}</ul>"
