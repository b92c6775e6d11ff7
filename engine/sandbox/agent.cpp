// SPDX-License-Identifier: MIT
#include "engine/sandbox/agent.h"

#include "engine/core/words.h"

namespace isol8 {

namespace {

/// Told to the model beside the agent's own instructions.
constexpr auto surroundings
    = "You work in a sandbox without a person to ask. /sandbox is your working directory; only it "
      "and "
      "/tmp can be written, and both are gone afterwards unless the user fetches files. The "
      "network "
      "reaches few hosts, through the proxy that HTTP_PROXY and HTTPS_PROXY name.";

} // namespace

QByteArrayList agentCommand(const ExecutionRequest& request)
{
    QByteArrayList command { "pi", "--no-session", "--append-system-prompt", surroundings };
    for (const auto& flag : splitWords(request.agentFlags).value_or(QStringList()))
        command << flag.toUtf8();
    // pi reads a prompt that begins so as a flag or a file.
    const bool isMistakable = request.code.startsWith('-') || request.code.startsWith('@');
    command << "-p" << (isMistakable ? '\n' + request.code : request.code);
    return command;
}

} // namespace isol8
