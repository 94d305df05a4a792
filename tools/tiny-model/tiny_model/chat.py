"""The chat template: the texts of the messages, each with a line end. Roles are ignored."""

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['content'] + '\n' }}{% endfor %}"
)
