"""Budgets that send mail before costs grow."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

SHARES_PERCENT = (50, 80, 100)
"""Shares of the monthly budget at which mail is sent."""

ALERTS_USD = (1, 5)
"""Monthly costs at which mail is sent regardless of the budget."""


@dataclass(frozen=True, kw_only=True)
class CostGuardsArgs:
    """Arguments of CostGuards."""

    budget_name: str
    """Physical name of the monthly budget, at most 87 characters, because the alerts append 13."""
    email: str
    """Address that receives the mail."""
    monthly_usd: int
    """Monthly budget in US dollars."""


class CostGuards(pulumi.ComponentResource):
    """A monthly budget with mail at 50, 80 and 100 %, and alerts at $1 and $5."""

    arns: dict[str, pulumi.Output[str]]
    """ARNs of the budgets by physical name."""

    def __init__(self, name: str, args: CostGuardsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:CostGuards", name, None, opts)
        self.arns = {}
        self._create_budget(f"{name}-monthly", args.budget_name, args.monthly_usd, SHARES_PERCENT, args.email)
        for usd in ALERTS_USD:
            self._create_budget(
                f"{name}-alert-{usd}-usd", f"{args.budget_name}-Alert-{usd}USD", usd, (100,), args.email
            )
        self.register_outputs({"arns": self.arns})

    def _create_budget(
        self, name: str, budget_name: str, usd: int, shares_percent: tuple[int, ...], email: str
    ) -> None:
        budget = aws.budgets.Budget(
            name,
            name=budget_name,
            budget_type="COST",
            limit_amount=str(usd),
            limit_unit="USD",
            time_unit="MONTHLY",
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type="ACTUAL",
                    threshold=share,
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=[email],
                )
                for share in shares_percent
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arns[budget_name] = budget.arn
