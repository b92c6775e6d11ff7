// SPDX-License-Identifier: MIT
#include "ui/run/runexport.h"

#include "engine/core/names.h"
#include "engine/core/requestjson.h"
#include "engine/core/units.h"

#include <QJsonDocument>
#include <QRegularExpression>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// @p text as one word of a POSIX shell.
QString quoted(QString text)
{
    static const QRegularExpression plain(u"\\A[A-Za-z0-9_@%+=:,./-]+\\z"_s);
    if (plain.match(text).hasMatch())
        return text;
    return u'\'' + text.replace(u'\'', u"'\\''"_s) + u'\'';
}

class CommandLine {
public:
    void add(const QString& word) { m_words << quoted(word); }
    void add(const QString& flag, const QString& value)
    {
        add(flag);
        add(value);
    }
    template <typename Value>
    void addChanged(
        const QString& flag, const Value& value, const Value& usual, const QString& text)
    {
        if (value != usual)
            add(flag, text);
    }
    [[nodiscard]] QString text() const { return m_words.join(u' '); }

private:
    QStringList m_words;
};

void addLimits(CommandLine& line, const ExecutionOptions& options, const ExecutionOptions& usual)
{
    line.addChanged(
        u"--timeout"_s, options.timeout, usual.timeout, QString::number(options.timeout.count()));
    line.addChanged(u"--memory"_s, options.memoryLimitBytes, usual.memoryLimitBytes,
        sizeText(options.memoryLimitBytes));
    line.addChanged(
        u"--cpu"_s, options.cpuLimit, usual.cpuLimit, QString::number(options.cpuLimit));
    line.addChanged(
        u"--pids-limit"_s, options.pidsLimit, usual.pidsLimit, QString::number(options.pidsLimit));
    line.addChanged(u"--sandbox-size"_s, options.sandboxSizeBytes, usual.sandboxSizeBytes,
        sizeText(options.sandboxSizeBytes));
    line.addChanged(
        u"--tmp-size"_s, options.tmpSizeBytes, usual.tmpSizeBytes, sizeText(options.tmpSizeBytes));
    line.addChanged(u"--max-output"_s, options.maxOutputBytes, usual.maxOutputBytes,
        sizeText(options.maxOutputBytes));
}

void addNetwork(CommandLine& line, const ExecutionOptions& options, const ExecutionOptions& usual)
{
    line.addChanged(u"--net"_s, options.network, usual.network, networkModeName(options.network));
    if (options.network != NetworkMode::Filtered)
        return;
    for (const auto& pattern : options.networkFilter.allow)
        line.add(u"--allow"_s, pattern);
    for (const auto& pattern : options.networkFilter.deny)
        line.add(u"--deny"_s, pattern);
    if (options.isNetworkLogged)
        line.add(u"--log-network"_s);
}

void addProgram(CommandLine& line, const RunJob& job)
{
    const auto& request = job.request;
    for (const auto& [name, value] : request.environment.asKeyValueRange())
        line.add(u"--env"_s, name + u'=' + value);
    for (const auto& name : job.options.secrets.keys())
        line.add(u"--secret"_s, name);
    for (const auto& package : request.installPackages)
        line.add(u"--install"_s, package);
    if (!request.setupScript.isEmpty())
        line.add(u"--setup"_s, request.setupScript);
    if (request.workingDirectory != u"/sandbox"_s)
        line.add(u"--workdir"_s, request.workingDirectory);
    if (request.stdinData)
        line.add(u"--stdin"_s, QString::fromUtf8(*request.stdinData));
}

/// What stands for a secret: a variable of the shell where the name can be one.
QString masked(const QString& name)
{
    static const QRegularExpression variable(u"\\A[A-Za-z_][A-Za-z0-9_]*\\z"_s);
    return variable.match(name).hasMatch() ? u"${%1}"_s.arg(name) : u"***"_s;
}

} // namespace

QString commandLineOf(const RunJob& job, const Target& target, const ExecutionOptions& defaults)
{
    CommandLine line;
    line.add(u"isol8"_s);
    line.add(u"run"_s);
    if (job.sourcePath.isEmpty())
        line.add(u"--eval"_s, QString::fromUtf8(job.request.code));
    else
        line.add(job.sourcePath);
    const auto suffix = u'.' + job.sourcePath.section(u'.', -1);
    if (job.sourcePath.isEmpty() || runtimeForExtension(suffix) != job.request.runtime)
        line.add(u"--runtime"_s, runtimeName(job.request.runtime));
    if (!target.isLocal())
        line.add(u"--host"_s, target.address);
    if (!job.sessionId.isEmpty())
        line.add(u"--session-id"_s, job.sessionId);
    addLimits(line, job.options, defaults);
    addNetwork(line, job.options, defaults);
    if (job.options.image != defaults.image)
        line.add(u"--image"_s, job.options.image);
    if (!job.options.isRootReadOnly && defaults.isRootReadOnly)
        line.add(u"--writable"_s);
    addProgram(line, job);
    if (!job.request.arguments.isEmpty()) {
        line.add(u"--"_s);
        for (const auto& argument : job.request.arguments)
            line.add(argument);
    }
    return line.text();
}

QString curlOf(const RunJob& job, const Target& target)
{
    auto options = job.options;
    for (auto&& [name, value] : options.secrets.asKeyValueRange())
        value = masked(name);
    QJsonObject body { { u"request"_s, toJson(job.request) }, { u"options"_s, toJson(options) } };
    if (!job.sessionId.isEmpty())
        body.insert(u"sessionId"_s, job.sessionId);
    const auto address = target.isLocal() ? u"http://localhost:3000"_s : target.address;
    auto json = QString::fromUtf8(QJsonDocument(body).toJson(QJsonDocument::Compact));
    json = quoted(json);
    // Out of the quotes, so that the shell puts the values in.
    for (const auto& name : options.secrets.keys())
        json.replace(u"\"${%1}\""_s.arg(name), u"\"'\"${%1}\"'\""_s.arg(name));
    return u"curl -sS -H \"Authorization: Bearer $ISOL8_API_KEY\" -H 'Content-Type: "
           u"application/json' "
           "-d %1 %2"_s.arg(json, quoted(address + u"/execute"_s));
}

} // namespace isol8::ui
