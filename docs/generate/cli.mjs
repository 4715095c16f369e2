/** `cli.md`: every command with its arguments and options, from the table that the command line itself is made of. */
import { code, page, prose, sentence, table } from "./markdown.mjs";
import { loadSource } from "./source.mjs";

export async function cliPage({ root }) {
  const { commands, groups } = await loadSource(root, "kernel/cli/commands.ts");
  const { globalOptions } = await loadSource(root, "kernel/cli/table/global.ts");
  const shown = commands.filter(({ hidden }) => !hidden);
  return page(
    "# The command line",
    "Generated from the table that `chela --help` and the completions are made of. `chela COMMAND --help` shows the same in the terminal. A plugin may add commands of its own: `chela NAME --help` describes them while the gateway runs.",
    table(
      ["command", "what"],
      shown.map((spec) => [code(usage(spec)), prose(sentence(spec.about))]),
    ),
    "## Options of every command",
    optionTable(globalOptions),
    "## Exit codes",
    "0 done, 1 refused or failed, 3 `chela status` without a running gateway, 69 a command that needs a gateway found none, 70 a fault of Chela itself. Those of `chela gateway run` are in [operations.md](../operations.md).",
    Object.entries(groups).map(([group, about]) => [
      `## ${code(`chela ${group}`)}`,
      prose(sentence(about)),
      shown.filter(({ name }) => name.startsWith(`${group} `)).map((spec) => details(spec)),
    ]),
    "## Other commands",
    shown.filter(({ name }) => !name.includes(" ")).map((spec) => details(spec)),
  );
}

function usage({ name, args }) {
  return ["chela", name, args].filter(Boolean).join(" ");
}

function details(spec) {
  return [
    `### ${code(usage(spec))}`,
    prose(sentence(spec.about)),
    spec.options ? optionTable(spec.options) : [],
    spec.examples.length > 0 ? `For example ${spec.examples.map(code).join(", ")}.` : [],
  ];
}

function optionTable(options) {
  const rows = options.map(({ flags, about, choices }) => [
    code(flags),
    prose(choices ? `${about}: ${choices.join(", ")}` : about),
  ]);
  return table(["option", "what"], rows);
}
