"""ChatAppSignIn: the routes `signin`, `signout` and `profile`."""

from chat.operations.profile import profile
from chat.operations.sign_in import sign_in
from chat.operations.sign_out import sign_out
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint({"signin": sign_in, "signout": sign_out, "profile": profile}, posts=True)
