"""Budgets that send a mail before a bill can surprise anybody."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

SHARES_PERCENT = (50, 80, 100)
"""At which shares of the monthly budget a mail goes out."""

ALERTS_USD = (1, 5)
"""At which sums a mail goes out, whatever the budget is."""


@dataclass(frozen=True, kw_only=True)
class CostGuardsArgs:
    """Who hears of costs, and when."""

    budget_name: str
    """Physical name of the budget, at most 100 characters."""
    email: str
    """Where the mails go."""
    monthly_usd: int
    """The monthly budget in US dollars."""


class CostGuards(pulumi.ComponentResource):
    """A monthly budget with mails at 50, 80 and 100 %, and alerts at $1 and $5."""

    arns: dict[str, pulumi.Output[str]]
    """Name → ARN of each budget."""

    def __init__(self, name: str, args: CostGuardsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:CostGuards", name, None, opts)
        self.arns = {}
        self._create_budget(f"{name}-monthly", args.budget_name, args, args.monthly_usd, SHARES_PERCENT)
        for usd in ALERTS_USD:
            self._create_budget(f"{name}-alert-{usd}-usd", f"{args.budget_name}-Alert-{usd}USD", args, usd, (100,))
        self.register_outputs({"budgets": list(self.arns)})

    def _create_budget(
        self, name: str, physical_name: str, args: CostGuardsArgs, usd: int, shares_percent: tuple[int, ...]
    ) -> None:
        budget = aws.budgets.Budget(
            name,
            name=physical_name,
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
                    subscriber_email_addresses=[args.email],
                )
                for share in shares_percent
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arns[physical_name] = budget.arn
