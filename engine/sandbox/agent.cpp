// SPDX-License-Identifier: MIT
#include "engine/sandbox/agent.h"

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

/// Told to the model beside the agent's own instructions.
constexpr auto surroundings
    = "You work in a sandbox without a person to ask. /sandbox is your working directory; only it and "
      "/tmp can be written, and both are gone afterwards unless the user fetches files. The network "
      "reaches few hosts, through the proxy that HTTP_PROXY and HTTPS_PROXY name.";

} // namespace

Result<QStringList> splitWords(const QString& text)
{
    QStringList words;
    QString word;
    bool isWord = false; // An empty pair of quotes is one.
    QChar quote;
    for (qsizetype at = 0; at < text.size(); ++at) {
        const QChar character = text[at];
        if (character == u'\\' && quote != u'\'' && at + 1 < text.size()) {
            word += text[++at];
            isWord = true;
        } else if (!quote.isNull()) {
            if (character == quote)
                quote = {};
            else
                word += character;
        } else if (character == u'\'' || character == u'"') {
            quote = character;
            isWord = true;
        } else if (character.isSpace()) {
            if (isWord)
                words << std::exchange(word, {});
            isWord = false;
        } else {
            word += character;
            isWord = true;
        }
    }
    if (!quote.isNull())
        return failure(Kind::Invalid, u"a quote is not closed: %1"_s.arg(text));
    if (isWord)
        words << word;
    return words;
}

Result<QByteArrayList> agentCommand(const ExecutionRequest& request)
{
    const auto flags = splitWords(request.agentFlags);
    if (!flags)
        return std::unexpected(flags.error().within(u"agentFlags"_s));
    QByteArrayList command { "pi", "--no-session", "--append-system-prompt", surroundings };
    for (const auto& flag : *flags)
        command << flag.toUtf8();
    // pi reads a prompt that begins so as a flag or a file.
    const bool isMistakable = request.code.startsWith('-') || request.code.startsWith('@');
    command << "-p" << (isMistakable ? '\n' + request.code : request.code);
    return command;
}

} // namespace isol8
