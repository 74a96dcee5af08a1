"""The engine on this machine: one llama.cpp context, one worker thread, continuous batching."""
