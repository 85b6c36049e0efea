"""SNS topics and subscriptions."""

from local.resources.resource import Aws, Created, Resource


def _create_topic(aws: Aws, *, name: str) -> Created:
    arn = aws.client("sns").create_topic(Name=name)["TopicArn"]
    return Created(arn, {"arn": arn})


def _create_subscription(aws: Aws, *, topic: str, protocol: str, endpoint: str) -> Created:
    created = aws.client("sns").subscribe(
        TopicArn=topic, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True
    )
    return Created(created["SubscriptionArn"], {"arn": created["SubscriptionArn"]})


RESOURCES = {
    "aws:sns/topic:Topic": Resource(_create_topic),
    "aws:sns/topicSubscription:TopicSubscription": Resource(_create_subscription),
}
