"""Data sets in the SFT schema."""

from lensmith_trainers.data.conversation import IMAGE_MARK, Conversation, Message
from lensmith_trainers.data.images import decode_image
from lensmith_trainers.data.read_conversations import read_conversations
