"""What a model sees of the world: prompts, how code is marked, what comes back."""

from lensmith_trainers.protocol.message_parts import IMAGE, MessagePart, parts_content, parts_text
from lensmith_trainers.protocol.parse_tool_call import ImageCall, RefusedCall, malformed_call, unknown_image
from lensmith_trainers.protocol.parse_turn import ParsedTurn, parse_turn
from lensmith_trainers.protocol.prompt_messages import PromptMessage, prompt_messages
from lensmith_trainers.protocol.schema import LoadedProtocol, Protocol, load_protocol
from lensmith_trainers.protocol.tool_message import question_parts, tool_message_parts
