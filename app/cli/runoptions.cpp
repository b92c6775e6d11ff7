// SPDX-License-Identifier: MIT
#include "app/cli/runoptions.h"

namespace isol8::cli {

namespace {

void defineProgram(OptionSet& set, RunOptions& options)
{
    set.startGroup("Program");
    set.value("-e,--eval", options.eval,
        { "Inline code (python unless --runtime says otherwise)", "CODE" });
    set.value("--cmd", options.command, { "Command for bash -c in the sandbox", "COMMAND" });
    set.value("-r,--runtime", options.runtime,
        { "Runtime; default: by extension, else python", "python|node|bun|deno|bash|agent",
            "detect" });
    set.value("--stdin", options.stdinData,
        { "Data for the program's standard input; default: isol8's own, live", "DATA" });
    set.list("--env", options.environment, { "Environment variable; repeatable", "KEY=VALUE" });
    set.list("--secret", options.secrets,
        { "Like --env, masked in all output; KEY alone takes isol8's own variable",
            "KEY[=VALUE]" });
    set.value("--workdir", options.workingDirectory,
        { "Working directory, within /sandbox", "PATH", "/sandbox" });
    set.value("--files", options.filesDirectory, { "Directory to copy into /sandbox", "DIR" });
    set.list("--install", options.install, { "Package to install first; repeatable", "PACKAGE" });
    set.list("--setup", options.setup,
        { "Bash command or script file to run before the code; repeatable", "SCRIPT" });
    set.value("--agent-flags", options.agentFlags, { "More flags for the agent", "FLAGS" });
    set.value("--url", options.url, { "Fetch the code from this address", "URL" });
    set.value("--github", options.github, { "Fetch the code: owner/repo/ref/path", "SOURCE" });
    set.value("--gist", options.gist, { "Fetch the code: id/file", "SOURCE" });
    set.value("--hash", options.hash, { "Digest that fetched code must have", "SHA256" });
    set.flag("--allow-insecure-code-url", options.allowInsecureCodeUrl,
        "Permit http: for --url (default: off)");
}

void defineSandbox(OptionSet& set, RunOptions& options)
{
    set.startGroup("Sandbox");
    set.value("--image", options.image, { "Any local image; default: the runtime's own", "NAME" });
    set.flag("--writable", options.writable, "Root filesystem not read-only (default: off)");
    set.flag("--persistent", options.persistent, "Persistent container (default: off)");
    set.value("--session-id", options.sessionId,
        { "Named session: its files stay for the next run", "ID" });
    set.flag("--persist", options.persist, "Keep the container for inspection (default: off)");
    set.value("--host", options.host, { "Run on this isol8 server", "URL" });
    set.value("--key", options.key, { "Its API key", "KEY", "$ISOL8_API_KEY, stored login" });

    set.startGroup("Limits");
    set.value("--timeout", options.timeout,
        { "For install, setup and run: milliseconds, 30s, 5m, 1h", "MS", "30000" });
    set.value("--memory", options.memory, { "Bytes, 256k, 512m, 1g", "SIZE", "512m" });
    set.value("--cpu", options.cpu, { "Cores, fractional", "N", "1.0" });
    set.value(
        "--pids-limit", options.pidsLimit, { "Processes and threads (agent: 200)", "N", "64" });
    set.value(
        "--sandbox-size", options.sandboxSize, { "Size of /sandbox (agent: 2g)", "SIZE", "512m" });
    set.value("--tmp-size", options.tmpSize, { "Size of /tmp", "SIZE", "256m" });
    set.value(
        "--max-output", options.maxOutput, { "Output kept of each stream", "BYTES", "1048576" });
}

void defineNetwork(OptionSet& set, RunOptions& options)
{
    set.startGroup("Network");
    set.value("--net", options.network,
        { "Network of the program (filtered with --install)", "none|host|filtered", "none" });
    set.list("--allow", options.allow, { "Filtered: host pattern to allow; repeatable", "REGEX" });
    set.list("--deny", options.deny, { "Filtered: host pattern to refuse; repeatable", "REGEX" });
    set.list("--allow-host", options.allowHost,
        { "Filtered: host to allow, as *.example.org; repeatable", "GLOB" });
    set.list("--deny-host", options.denyHost,
        { "Filtered: host to refuse, as *.example.org; repeatable", "GLOB" });
    set.flag(
        "--log-network", options.logNetwork, "Print the network log afterwards (default: off)");
}

void defineOutput(OptionSet& set, RunOptions& options)
{
    set.startGroup("Output");
    set.value("--out", options.out, { "Also write standard output to this file", "FILE" });
    set.flag("--no-stream", options.noStream, "Print the output at the end (default: off)");
    set.flag("--json", options.json, "Print the whole result as JSON instead (default: off)");
    set.flag("-t,--tty", options.tty, "Run on a terminal of this one's size (default: off)");
    set.list("--get", options.get, { "File to fetch afterwards; repeatable", "PATH[:LOCAL]" });
    set.flag("--debug", options.debug, "Say what isol8 does (default: off)");
}

} // namespace

void defineRunOptions(OptionSet& set, RunOptions& options)
{
    set.positional(
        "file", options.file, { "Program to run; its extension tells the runtime", "FILE" });
    defineProgram(set, options);
    defineSandbox(set, options);
    defineNetwork(set, options);
    defineOutput(set, options);
    set.setFooter("Everything after -- is passed to the program as its arguments.\n"
                  "Without file, --eval and --cmd the code is read from standard input.");
}

} // namespace isol8::cli
