"""What a command's help says below its options: exit codes, environment and examples.

Keyed by the command's path, "" for the program itself. A test parses every example.
"""

from reasoner.cli.help.page import Page
from reasoner.cli.help.page import make_page as _page

__all__ = ["PAGES"]

FAILED = {"1": "something failed", "2": "the request was wrong"}
INTERRUPTED = {"130": "interrupted; the same command goes on from there"}
ANSWERED = {
    "0": "answered",
    **FAILED,
    "3": "a check refuted the answer; it is printed all the same",
    "4": "no answer",
    "130": "interrupted; what there was is printed",
}
SETTINGS = {
    "REASONER_MODEL": "the model, as --model takes it; each option that sets how the model "
    "thinks has such a variable: REASONER_EFFORT, REASONER_BUDGET, REASONER_TEMPERATURE …",
    "REASONER_SERVER": "a running `reasoner serve` to ask, as --server takes it",
    "REASONER_API_KEY": "the key such a server, or the one of an http model, asks for",
}
COLOURS = {"NO_COLOR": "when set, no colours; TERM=dumb does without them too"}
FOLDERS = {
    "REASONER_CACHE_DIR": "where models and caches are kept",
    "REASONER_DATA_DIR": "where the history is kept",
    "REASONER_CONFIG_DIR": "where config.toml, models.toml and plugins/ are looked for",
}

PAGES: dict[str, Page] = {
    "": _page(
        'reasoner ask "How many positive divisors has 360?"',
        'git diff | reasoner ask "Is there a bug in this?"',
        "reasoner chat",
        "reasoner doctor",
        exits=ANSWERED,
        environment=SETTINGS
        | FOLDERS
        | COLOURS
        | {"REASONER_DEBUG": "1: tracebacks, as with --debug"},
    ),
    "ask": _page(
        'reasoner ask "A train covers 120 km in 1.5 h. How fast is it?"',
        "# only the short final answer, checked against a known one",
        'reasoner ask "What is 17 * 23?" --expect 391 --final',
        "# code that has to pass tests; the code alone on stdout",
        'reasoner ask "Write slug(title)." --tests test_slug.py -x > slug.py',
        "# a file and a question about it, with more effort and a bill",
        'reasoner ask "Review this." -f main.py --effort high -u',
        "# a search, drawn while it grows and kept for later",
        'reasoner ask "Use 4 7 8 8 to make 24." --strategy mcts --watch \\',
        "  --trace run.json",
        "# go on with the last question",
        'reasoner ask -c "And in Rust?"',
        "# in a script: the answer's worth is the exit code",
        'if reasoner ask -q "What is 17 * 23?" --expect 391; then echo right; fi',
        "cat question.txt | reasoner ask --json -m ./model.gguf | jq .usage",
        exits=ANSWERED,
        environment=SETTINGS | COLOURS,
    ),
    "chat": _page(
        "reasoner chat",
        "reasoner chat -m smollm2-135m --no-think",
        "# go on with the last conversation, or with a certain one",
        "reasoner chat --continue",
        "reasoner chat --cid 3fa2",
        "# a script's turns, one a line; answers on stdout",
        "printf '%s\\n' 'Name a prime.' 'And a larger one.' | reasoner chat -q",
        exits={"0": "the talk was left, with /exit, Ctrl-D or the end of stdin", **FAILED},
        environment=SETTINGS | {"VISUAL, EDITOR": "what /edit opens"} | COLOURS,
    ),
    "eval": _page(
        "reasoner eval questions.jsonl --n 100 --out results",
        "# is more effort worth its tokens?",
        "reasoner eval questions.jsonl --compare effort=low,high --out results",
        "# two models, as JSON",
        "reasoner eval a.jsonl --compare model=smollm2-135m,qwen3-0.6b --json",
        exits={
            "0": "measured",
            "1": "the model failed",
            "2": "the request was wrong, or no question could be used",
            "130": "interrupted; what is done is kept with --out, and the same command goes on",
        },
    ),
    "batch": _page(
        "reasoner batch questions.jsonl --out answers.jsonl",
        "# known answers in the column `answer`: how many are right?",
        "reasoner batch test.csv --expect-field answer --out scored.jsonl",
        "cat questions.jsonl | reasoner batch --as-finished | jq -r .final",
        "# what was refuted",
        "jq -r 'select(.status == \"refuted\") | .question' answers.jsonl",
        exits={
            "0": "all answered",
            "1": "some failed or could not be read",
            "2": "the request was wrong, or there was no item",
            "3": "some refuted",
            "4": "some without an answer",
            "130": "interrupted; what is done is kept, and the same command goes on",
        },
        environment=SETTINGS,
    ),
    "serve": _page(
        "reasoner serve -m smollm2-135m",
        "reasoner serve --port 0 --effort low --concurrency 4",
        "# for other machines; they have to send the key",
        "REASONER_API_KEY=secret reasoner serve --host 0.0.0.0 --timeout 120",
        "# asking it",
        'reasoner ask --server http://127.0.0.1:8642 "What is 17 * 23?"',
        "curl http://127.0.0.1:8642/v1/models",
        exits={"0": "stopped by Ctrl-C or SIGTERM; answers at work were ended", **FAILED},
        environment={
            "REASONER_API_KEY": "the key clients have to send as `Authorization: Bearer …`",
            "REASONER_MODEL": "the model; so for the other settings",
        },
    ),
    "verify": _page(
        'reasoner verify "1/2" --expect "\\frac{2}{4}"',
        "reasoner verify -f solution.py --tests test_solution.py",
        'reasoner ask "What is 6 * 7?" | reasoner verify --expect 42',
        "reasoner verify --jsonl answers.jsonl > verdicts.jsonl",
        exits={
            "0": "pass; with --jsonl: all of them",
            "1": "something failed",
            "2": "the request was wrong, or no line could be used",
            "3": "fail; with --jsonl: some of them",
            "4": "could not be decided; with --jsonl: some, or a line was unusable",
            "130": "interrupted; the lines printed so far are complete",
        },
    ),
    "trace": _page(
        'reasoner ask "Use 4 7 8 8 to make 24." --strategy beam --trace run.json',
        "reasoner trace run.json | less",
        "reasoner trace run.json --html run.html",
        "reasoner trace run.json --json | jq 'map(select(.best))'",
        exits={
            "0": "shown",
            "1": "the file is no trace, or half of one",
            "2": "the request was wrong",
        },
        environment=COLOURS,
    ),
    "doctor": _page(
        "reasoner doctor",
        "reasoner doctor --json | jq '.checks[] | select(.level != \"ok\")'",
        exits={"0": "all that is essential works", "1": "something essential is broken"},
        environment=FOLDERS,
    ),
    "paths": _page(
        "reasoner paths",
        "reasoner paths --json | jq -r .history",
        "REASONER_CACHE_DIR=/mnt/big reasoner paths",
        environment=FOLDERS,
    ),
    "models": _page(
        "reasoner models list",
        "reasoner models recommend",
        "reasoner models pull smollm2-135m",
        "reasoner models show ./model.gguf --json",
        environment={"REASONER_OFFLINE": "1: nothing is fetched"} | FOLDERS,
    ),
    "models list": _page(
        "reasoner models list",
        "reasoner models list --json | jq -r '.[] | select(.cached) | .path'",
    ),
    "models recommend": _page(
        "reasoner models recommend",
        "reasoner models recommend --json | jq -r '.models[0].name'",
    ),
    "models pull": _page(
        "reasoner models pull smollm2-135m",
        "reasoner models pull Qwen/Qwen3-0.6B-GGUF:q8_0",
        exits={
            "0": "it is here, and its path on stdout",
            "1": "no source delivered it",
            **INTERRUPTED,
        },
        environment={
            "HF_TOKEN": "for models of the Hub that ask who you are",
            "REASONER_CACHE_DIR": "where models are kept",
        },
    ),
    "models show": _page(
        "reasoner models show smollm2-135m",
        "reasoner models show ./model.gguf --json | jq .file.chat_template",
    ),
    "models rm": _page("reasoner models rm smollm2-135m"),
    "models path": _page(
        "reasoner models path", 'llama-cli -m "$(reasoner models path smollm2-135m)"'
    ),
    "history": _page(
        "reasoner history list",
        "reasoner history search prime numbers",
        "reasoner history show 3fa2 --reasoning",
        "reasoner history export > talks.jsonl",
        "reasoner history rm 3fa2",
        environment={
            "REASONER_DATA_DIR": "where the history is kept",
            "REASONER_HISTORY": "0: nothing is recorded, as with ask -n",
        },
    ),
    "history list": _page(
        "reasoner history list --limit 5",
        "reasoner history list --json | jq -r '.[] | [.id, .title] | @tsv'",
    ),
    "history show": _page(
        "reasoner history show",
        "reasoner history show 3fa2 --reasoning | less",
        "reasoner history show --json | jq '.turns[-1].result.usage'",
    ),
    "history search": _page(
        "reasoner history search prime numb",
        "reasoner history search prime --json | jq length",
        exits={"0": "found", "4": "nothing found"},
    ),
    "history rm": _page("reasoner history rm 3fa2 77c0", "reasoner history rm --all --yes"),
    "history export": _page(
        "reasoner history export > talks.jsonl", "reasoner history export 3fa2 --markdown > talk.md"
    ),
    "history path": _page('cp "$(reasoner history path)" backup.db'),
    "cache": _page(
        "reasoner cache info",
        "reasoner cache clear prompts",
        'reasoner ask --no-cache "What is 17 * 23?"',
        "REASONER_CACHE_SIZE=500 reasoner chat",
        environment={
            "REASONER_CACHE_SIZE": "most megabytes of prompts (2000)",
            "REASONER_CACHE": "0: neither read nor written, as with --no-cache",
            "REASONER_CACHE_DIR": "where models and caches are kept",
        },
    ),
    "cache info": _page(
        "reasoner cache info", "reasoner cache info --json | jq 'map(.bytes) | add'"
    ),
    "cache clear": _page("reasoner cache clear", "reasoner cache clear results"),
    "strategies": _page(
        "reasoner strategies list", 'reasoner ask "Is 91 prime?" --strategy majority -S n=8'
    ),
    "strategies list": _page(
        "reasoner strategies list", "reasoner strategies list --json | jq -r '.[].name'"
    ),
    "plugins": _page(
        "reasoner plugins list",
        "reasoner plugins enable my_check",
        "reasoner plugins disable sympy_check",
    ),
    "plugins list": _page(
        "reasoner plugins list", "reasoner plugins list --json | jq '.[] | select(.error)'"
    ),
    "plugins enable": _page("reasoner plugins enable my_check"),
    "plugins disable": _page("reasoner plugins disable sympy_check"),
    "data": _page(
        "reasoner data rollouts train.jsonl --out rollouts.jsonl --limit 100",
        "reasoner data paths --out paths.jsonl --problems 30000",
        exits=FAILED | INTERRUPTED,
    ),
    "data rollouts": _page(
        "reasoner data rollouts train.jsonl --out rollouts.jsonl --limit 100 \\",
        "  --samples 4 --tokens 150000",
        "reasoner train value rollouts.jsonl --out head.gguf",
        exits={"0": "done, or the tokens are spent", **FAILED, **INTERRUPTED},
    ),
    "data paths": _page(
        "reasoner data paths --out paths.jsonl --problems 30000 --paths 2",
        "reasoner data paths --out games.jsonl --mix make24=3,arithmetic=1 \\",
        "  --exclude dev.jsonl",
        exits={"0": "done", **FAILED, **INTERRUPTED},
    ),
    "train": _page(
        "reasoner train value rollouts.jsonl --out head.gguf",
        "reasoner train policy run --data paths.jsonl",
        exits=FAILED | INTERRUPTED,
    ),
    "train value": _page(
        "reasoner train value rollouts.jsonl --out head.gguf",
        'reasoner ask --value self --value-head head.gguf --strategy best-of-n "…"',
    ),
    "train policy": _page(
        "reasoner train policy run --data paths.jsonl",
        "# then from rewards for its steps",
        "reasoner train policy run --stage rl --exclude dev.jsonl",
        'reasoner ask -m run/policy.gguf "Use 4 7 8 8 to make 24"',
        exits={"0": "trained", **FAILED, **INTERRUPTED},
    ),
    "train explore": _page(
        "reasoner train explore run --out own.jsonl --exclude dev.jsonl",
        "reasoner train policy run --data paths.jsonl --data own.jsonl --steps 9000",
        exits={"0": "done", **FAILED, **INTERRUPTED},
    ),
    "train prm": _page(
        "reasoner train prm run --out value.gguf --exclude dev.jsonl",
        "reasoner ask -m run/policy.gguf --value value.gguf \\",
        '  --value-format steiner-mini --strategy beam "Use 4 7 8 8 to make 24"',
        exits={"0": "trained", **FAILED, **INTERRUPTED},
    ),
}
