"""The solver behind HTTP, spoken to as OpenAI's chat completions are; and its client."""
