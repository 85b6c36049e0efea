"""CloudWatch alarms and dashboards."""

from local.emulator import ACCOUNT, REGION
from local.resources.resource import Aws, Created, Resource, given


def _put_alarm(
    aws: Aws,
    *,
    name: str,
    alarmDescription: str,
    namespace: str,
    metricName: str,
    period: int,
    evaluationPeriods: int,
    threshold: float,
    comparisonOperator: str,
    treatMissingData: str,
    alarmActions: list[str],
    dimensions: dict[str, str] | None = None,
    statistic: str | None = None,
    extendedStatistic: str | None = None,
) -> Created:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmDescription=alarmDescription,
        Namespace=namespace,
        MetricName=metricName,
        Period=period,
        EvaluationPeriods=evaluationPeriods,
        Threshold=float(threshold),
        ComparisonOperator=comparisonOperator,
        TreatMissingData=treatMissingData,
        AlarmActions=alarmActions,
        Dimensions=[{"Name": key, "Value": value} for key, value in (dimensions or {}).items()],
        **given(Statistic=statistic, ExtendedStatistic=extendedStatistic),
    )
    return Created(name, {"arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"})


def _put_dashboard(aws: Aws, *, dashboardName: str, dashboardBody: str) -> Created:
    aws.client("cloudwatch").put_dashboard(DashboardName=dashboardName, DashboardBody=dashboardBody)
    return Created(dashboardName, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{dashboardName}"})


RESOURCES = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Resource(_put_alarm),
    "aws:cloudwatch/dashboard:Dashboard": Resource(_put_dashboard),
}
