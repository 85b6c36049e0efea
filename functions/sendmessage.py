"""ChatAppSendMessage: the route `sendmessage`."""

from chat.operations.send import send
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint({"sendmessage": send, "": send}, posts=True)
