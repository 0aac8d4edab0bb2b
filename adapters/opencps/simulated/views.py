"""How the portal shows a dossier: list row and detail differ in names, types and freshness (provincial.md 2.2)."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import orjson

from adapters.opencps.simulated.dates import epoch_ms, false_z, spoken
from adapters.opencps.simulated.entity import ActionRow, Dossier, FileRow, LogRow
from adapters.opencps.simulated.process import Action, Step

PREFIX = "xxx-cps-"
STATUS_TEXTS = {
    "new": "Mới nộp",
    "receiving": "Chờ tiếp nhận",
    "collecting": "Thu thập giấy tờ",
    "processing": "Đang xử lý",
    "waiting": "Chờ bổ sung",
    "correcting": "Yêu cầu sửa đổi",
    "pausing": "Tạm dừng",
    "interoperating": "Đang liên thông",
    "handover": "Bàn giao",
    "paying": "Chờ nộp phí",
    "posting": "Chuyển bưu chính",
    "releasing": "Chờ trả kết quả",
    "done": "Đã trả kết quả",
    "cancelling": "Yêu cầu rút",
    "cancelled": "Đã rút",
    "denied": "Từ chối tiếp nhận",
    "unresolved": "Không giải quyết",
}


def shown_uid(dossier: Dossier, prefix: str) -> str:
    """The key as shown: some deployments add the prefix of linked dossiers, some strip it."""
    plain = dossier.reference_uid.removeprefix(PREFIX)
    return {"add": PREFIX + plain, "strip": plain}.get(prefix, dossier.reference_uid)


def _shared(dossier: Dossier, step: Step | None, prefix: str) -> dict[str, Any]:
    """What list and detail have in common."""
    act = dossier.action()
    who = dossier.applicant
    return {
        "dossierId": dossier.dossier_id,
        "groupId": dossier.group_id,
        "referenceUid": shown_uid(dossier, prefix),
        "createDate": spoken(dossier.created_at),
        "modifiedDate": spoken(dossier.modified_at),
        "serviceCode": dossier.service_code,
        "serviceName": dossier.service_name,
        "govAgencyCode": dossier.agency_code,
        "govAgencyName": dossier.agency_name,
        "dossierTemplateNo": dossier.template_no,
        "dossierNo": dossier.dossier_no,
        "applicantIdType": who.kind,
        "applicantIdNo": who.number,
        "applicantIdDate": who.issued_on,
        "address": who.address,
        "cityCode": who.city[0],
        "cityName": who.city[1],
        "districtCode": who.district[0],
        "districtName": who.district[1],
        "wardCode": who.ward[0],
        "wardName": who.ward[1],
        "contactName": who.contact_name,
        "contactTelNo": who.phone,
        "contactEmail": who.email,
        "dossierNote": dossier.note,
        "applicantNote": dossier.applicant_note,
        "briefNote": dossier.brief,
        "submitting": "false",
        "submitDate": spoken(dossier.submitted_at),
        "receiveDate": spoken(dossier.received_at),
        "dueDate": spoken(dossier.due_at),
        "extendDate": spoken(dossier.extended_at),
        "lockState": dossier.lock_state,
        "originality": dossier.originality,
        "originDossierNo": dossier.origin_dossier_no,
        "originDossierId": dossier.origin_dossier_id,
        "online": "true" if dossier.online else "false",
        "viaPostal": str(dossier.via_postal),
        "dossierStatus": dossier.status,
        "dossierStatusText": STATUS_TEXTS.get(dossier.status, ""),
        "dossierSubStatus": dossier.sub_status,
        "dossierSubStatusText": dossier.sub_status.replace("_", " "),
        "lastActionDate": spoken(act.at) if act else "",
        "lastActionCode": act.code if act else "",
        "lastActionName": act.name if act else "",
        "lastActionUser": act.user.upper() if act else "",
        "lastActionNote": act.note if act else "",
        "stepCode": dossier.step,
        "stepName": step.name if step else "",
        "durationCount": dossier.days,
        "durationUnit": 0,
        "systemId": 0,
        "metaData": orjson.dumps(dossier.metadata).decode() if dossier.metadata else "",
    }


def list_row(dossier: Dossier, step: Step | None, prefix: str) -> dict[str, Any]:
    """DossierDataModel without what depends on the caller; absent dates have no key; the password leaks."""
    row = _shared(dossier, step, prefix)
    row |= {
        "applicantName": dossier.applicant.name.upper().replace(";", "; "),
        "domainCode": dossier.domain_code,
        "domainName": dossier.domain_name,
        "dossierIdCTN": f"{dossier.dossier_id * 2_654_435_761 % 2**32:08x}",
        "dossierCounter": "",
        "counter": dossier.counter,
        "groupDossierId": 0,
        "dueDateComing": str(epoch_ms(dossier.due_at)),
        "hasPassword": dossier.password,
        "pending": "false",
        "assigned": 0,
    }
    for name, at in _late_dates(dossier):
        if at:
            row[name] = at
    return row


def detail(dossier: Dossier, step: Step | None, prefix: str) -> dict[str, Any]:
    """DossierDetailModel: missing dates are empty strings, `groupDossierId` is text, counters are numbers."""
    delegate = {key: value for key, value in dossier.delegate.items() if value}
    return (
        _shared(dossier, step, prefix)
        | {
            "applicantName": dossier.applicant.name.upper(),
            "userId": 0,
            "counter": dossier.counter,
            "groupDossierId": "",
            "dossierActionId": dossier.action_id,
            "dossierIdCTN": "",
            "stepInstruction": "",
            "stepOverdue": "true",
            "submissionNote": "",
            "permission": "",
            "visited": "true",
            "serverNo": "",
            "delegateType": 0,
        }
        | dict(_late_dates(dossier))
        | delegate
    )


def _late_dates(dossier: Dossier) -> tuple[tuple[str, str], ...]:
    return (
        ("releaseDate", spoken(dossier.released_at)),
        ("finishDate", spoken(dossier.finished_at)),
        ("cancellingDate", spoken(dossier.cancelling_at)),
        ("correctingDate", spoken(dossier.correcting_at)),
    )


def log_row(row: LogRow) -> dict[str, Any]:
    """A row of `GET /dossierlogs/{id}/logs`: createDate ends in a false Z."""
    return {
        "dossierLogId": row.log_id,
        "createDate": false_z(row.at),
        "author": row.author,
        "content": row.content,
        "notificationType": row.kind,
        "payload": row.payload,
    }


def next_action(number: int, action: Action, step: str) -> dict[str, Any]:
    """A row of `GET /dossiers/{id}/nextactions`."""
    return {
        "processActionId": number,
        "actionCode": action.code,
        "actionName": action.name,
        "preStepCode": step,
        "postStepCode": action.after,
        "autoEvent": "",
        "preCondition": "",
        "enable": 1,
        "allowDelegacyUser": False,
    }


def done(dossier: Dossier, row: ActionRow) -> dict[str, Any]:
    """The answer of a successful action."""
    return {
        "dossierActionId": row.action_id,
        "dossierId": dossier.dossier_id,
        "dossierDocumentId": 0,
        "fromStepCode": row.from_step,
        "nextActionId": 0,
        "groupId": dossier.group_id,
        "previousActionId": row.previous_id,
        "sequenceNo": "",
        "serviceProcessId": 1,
        "rollbackable": True,
    }


def file_row(dossier: Dossier, file: FileRow) -> dict[str, Any]:
    """DossierFileModel."""
    return {
        "dossierFileId": file.file_id,
        "dossierId": dossier.dossier_id,
        "createDate": spoken(file.at),
        "modifiedDate": spoken(file.at),
        "referenceUid": file.reference_uid,
        "dossierTemplateNo": dossier.template_no,
        "dossierPartNo": file.part_no,
        "dossierPartName": "",
        "dossierPartType": file.part_type,
        "fileTemplateNo": "",
        "displayName": file.name,
        "fileType": file.file_type,
        "fileSize": len(file.content or b""),
        "fileVersion": str(file.version),
        "isNew": False,
        "signCheck": 0,
        "signInfo": "",
        "removed": file.removed,
        "eForm": bool(file.form_data),
        "formData": file.form_data,
        "formScript": "",
        "formReport": "",
    }


def decomposed(value: Any) -> Any:
    """The same value with its texts in NFD, as some portals send them."""
    if isinstance(value, str):
        return normalize("NFD", value)
    if isinstance(value, list):
        return [decomposed(item) for item in value]
    return {key: decomposed(item) for key, item in value.items()} if isinstance(value, dict) else value
