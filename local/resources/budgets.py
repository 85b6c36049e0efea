"""Budgets."""

from typing import Any

from local.emulator import ACCOUNT
from local.resources.resource import Aws, Created, Resource


def _create_budget(
    aws: Aws,
    *,
    name: str,
    budgetType: str,
    limitAmount: str,
    limitUnit: str,
    timeUnit: str,
    notifications: list[dict[str, Any]],
) -> Created:
    aws.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": name,
            "BudgetType": budgetType,
            "TimeUnit": timeUnit,
            "BudgetLimit": {"Amount": limitAmount, "Unit": limitUnit},
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {
                    "NotificationType": one["notificationType"],
                    "ComparisonOperator": one["comparisonOperator"],
                    "Threshold": float(one["threshold"]),
                    "ThresholdType": one["thresholdType"],
                },
                "Subscribers": [
                    {"SubscriptionType": "EMAIL", "Address": address} for address in one["subscriberEmailAddresses"]
                ],
            }
            for one in notifications
        ],
    )
    return Created(f"{ACCOUNT}:{name}", {"arn": f"arn:aws:budgets::{ACCOUNT}:budget/{name}", "name": name})


RESOURCES = {"aws:budgets/budget:Budget": Resource(_create_budget)}
