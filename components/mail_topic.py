"""An SNS topic that sends mail."""

import pulumi
import pulumi_aws as aws


def create_mail_topic(
    topic_resource: str, mail_resource: str, topic_name: str, email: str, opts: pulumi.ResourceOptions
) -> tuple[aws.sns.Topic, dict[str, pulumi.Output[str]]]:
    """Create a topic and its mail subscription, which AWS asks the address to confirm.

    Returns the topic, and the ARNs of both by physical name. The first two arguments are the resources' logical names.
    """
    topic = aws.sns.Topic(topic_resource, name=topic_name, opts=opts)
    subscription = aws.sns.TopicSubscription(
        mail_resource, topic=topic.arn, protocol="email", endpoint=email, opts=opts
    )
    return topic, {topic_name: topic.arn, f"{topic_name}/mail": subscription.arn}
