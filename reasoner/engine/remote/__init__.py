"""The engine on a server elsewhere: any OpenAI-compatible completions API."""
