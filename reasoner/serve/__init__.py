"""An HTTP server for one solver, in the format of OpenAI's chat completions, and its client."""
