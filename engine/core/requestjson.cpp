// SPDX-License-Identifier: MIT
#include "engine/core/requestjson.h"

#include "engine/core/jsonreader.h"
#include "engine/core/names.h"
#include "engine/core/units.h"

#include <QFileInfo>
#include <QUrl>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

void readTimeout(JsonReader& reader, std::optional<std::chrono::milliseconds>& target)
{
    const QString key = u"timeoutMs"_s;
    qint64 value = 0;
    reader.readWhole(key, value, 1, maxTimeout.count());
    if (reader.has(key) && !reader.error())
        target = std::chrono::milliseconds(value);
}

/// A text such as "512m" or a number of bytes.
void readSize(JsonReader& reader, const QString& key, qint64& target)
{
    const QJsonValue value = reader.value(key);
    if (value.isDouble()) {
        reader.readWhole(key, target, 1, maxSizeBytes);
        return;
    }
    QString text;
    reader.read(key, text);
    if (!reader.has(key) || reader.error())
        return;
    const auto bytes = parseSize(text, reader.pathOf(key));
    if (bytes)
        target = *bytes;
    else
        reader.fail(bytes.error());
}

std::optional<QByteArray> bytesOfBuffer(const QJsonArray& data)
{
    QByteArray bytes;
    bytes.reserve(data.size());
    for (const QJsonValue& item : data) {
        const int value = item.toInt(-1);
        if (value < 0 || value > 255)
            return std::nullopt;
        bytes.append(char(value));
    }
    return bytes;
}

/// A text, Node's `JSON.stringify(Buffer)` or `{"base64": …}`.
std::optional<QByteArray> fileContent(const QJsonValue& value)
{
    if (value.isString())
        return value.toString().toUtf8();
    const QJsonObject object = value.toObject();
    if (object[u"base64"].isString()) {
        const auto decoded = QByteArray::fromBase64Encoding(
            object[u"base64"].toString().toLatin1(), QByteArray::AbortOnBase64DecodingErrors);
        return decoded ? std::optional(*decoded) : std::nullopt;
    }
    if (object[u"type"] == "Buffer"_L1 && object[u"data"].isArray())
        return bytesOfBuffer(object[u"data"].toArray());
    return std::nullopt;
}

void readFiles(JsonReader& reader, QMap<QString, QByteArray>& target)
{
    QJsonObject files;
    reader.read(u"files"_s, files);
    JsonReader members(files, reader.pathOf(u"files"_s), Kind::Invalid);
    for (const QString& path : files.keys()) {
        if (const auto content = fileContent(files[path]))
            target.insert(path, *content);
        else
            members.refuse(
                path, u"a text, {\"base64\": …} and {\"type\": \"Buffer\", \"data\": […]}"_s);
    }
    if (members.error())
        reader.fail(*members.error());
}

void readSource(JsonReader& reader, ExecutionRequest& request)
{
    QString code;
    reader.read(u"code"_s, code);
    if (reader.has(u"code"_s))
        request.code = code.isEmpty() ? QByteArray("") : code.toUtf8(); // Empty code is code.
    reader.read(u"cmd"_s, request.command);
    reader.read(u"codeUrl"_s, request.codeUrl);
    reader.read(u"codeHash"_s, request.codeHash);
    reader.read(u"allowInsecureCodeUrl"_s, request.allowInsecureCodeUrl);
    reader.read(u"fileExtension"_s, request.fileExtension);
    if (!request.fileExtension.isEmpty() && !request.fileExtension.startsWith(u'.'))
        request.fileExtension.prepend(u'.');

    QString extension = request.fileExtension;
    if (extension.isEmpty() && !request.codeUrl.isEmpty())
        extension = u'.' + QFileInfo(QUrl(request.codeUrl).path()).suffix();
    const Runtime usual = request.command.isEmpty() ? Runtime::Python : Runtime::Bash;
    request.runtime = runtimeForExtension(extension).value_or(usual);
    reader.readName(u"runtime"_s, request.runtime, runtimeFromName, runtimeNames().join(u", "_s));
}

QJsonObject variablesJson(const QMap<QString, QString>& variables)
{
    QJsonObject object;
    for (const auto& [name, value] : variables.asKeyValueRange())
        object.insert(name, value);
    return object;
}

void readIsolation(JsonReader& reader, ExecutionOptions& options)
{
    QJsonObject filter;
    reader.read(u"networkFilter"_s, filter);
    JsonReader lists(filter, reader.pathOf(u"networkFilter"_s), Kind::Invalid);
    lists.read(u"whitelist"_s, options.networkFilter.allow);
    lists.read(u"blacklist"_s, options.networkFilter.deny);
    QJsonObject members;
    reader.read(u"security"_s, members);
    JsonReader security(members, reader.pathOf(u"security"_s), Kind::Invalid);
    security.readName(
        u"seccomp"_s, options.seccomp, seccompFromName, u"strict, unconfined and custom"_s);
    security.read(u"customProfilePath"_s, options.seccompProfilePath);
    for (const JsonReader* part : { &lists, &security }) {
        if (part->error())
            reader.fail(*part->error());
    }
    // Only their type matters here; what they say is the server's to decide.
    QJsonObject ignored;
    reader.read(u"audit"_s, ignored);
    reader.read(u"remoteCode"_s, ignored);
}

} // namespace

Result<ExecutionRequest> requestFromJson(const QJsonObject& object)
{
    JsonReader reader(object, u"request"_s, Kind::Invalid);
    ExecutionRequest request;
    readSource(reader, request);
    reader.read(u"args"_s, request.arguments);
    reader.read(u"env"_s, request.environment);
    if (reader.has(u"stdin"_s)) {
        QString text;
        reader.read(u"stdin"_s, text);
        request.stdinData = text.toUtf8();
    }
    readFiles(reader, request.files);
    reader.read(u"outputPaths"_s, request.outputPaths);
    reader.read(u"installPackages"_s, request.installPackages);
    reader.read(u"setupScript"_s, request.setupScript);
    reader.read(u"workdir"_s, request.workingDirectory);
    reader.read(u"agentFlags"_s, request.agentFlags);
    reader.read(u"tty"_s, request.hasTerminal);
    reader.read(u"metadata"_s, request.metadata);
    readTimeout(reader, request.timeout);
    if (reader.error())
        return std::unexpected(*reader.error());
    return request;
}

Result<ExecutionOptions> optionsFromJson(const QJsonObject& object, ExecutionOptions defaults)
{
    JsonReader reader(object, u"options"_s, Kind::Invalid);
    ExecutionOptions options = std::move(defaults);
    reader.readName(u"mode"_s, options.mode, modeFromName, u"ephemeral and persistent"_s);
    reader.readName(
        u"network"_s, options.network, networkModeFromName, u"none, host and filtered"_s);
    readIsolation(reader, options);
    reader.read(u"cpuLimit"_s, options.cpuLimit);
    readSize(reader, u"memoryLimit"_s, options.memoryLimitBytes);
    reader.readWhole(u"pidsLimit"_s, options.pidsLimit, 1, std::numeric_limits<int>::max());
    reader.read(u"readonlyRootFs"_s, options.isRootReadOnly);
    readSize(reader, u"maxOutputSize"_s, options.maxOutputBytes);
    reader.read(u"secrets"_s, options.secrets);
    std::optional<std::chrono::milliseconds> timeout;
    readTimeout(reader, timeout);
    options.timeout = timeout.value_or(options.timeout);
    reader.read(u"image"_s, options.image);
    readSize(reader, u"sandboxSize"_s, options.sandboxSizeBytes);
    readSize(reader, u"tmpSize"_s, options.tmpSizeBytes);
    reader.read(u"persist"_s, options.isKept);
    reader.read(u"logNetwork"_s, options.isNetworkLogged);
    bool isDebug = false;
    reader.read(u"debug"_s, isDebug);
    if (reader.error())
        return std::unexpected(*reader.error());
    return options;
}

QJsonObject toJson(const ExecutionRequest& request)
{
    QJsonObject object { { u"runtime"_s, runtimeName(request.runtime) } };
    const auto insertText = [&object](const QString& key, const QString& text) {
        if (!text.isEmpty())
            object.insert(key, text);
    };
    const auto insertList = [&object](const QString& key, const QStringList& texts) {
        if (!texts.isEmpty())
            object.insert(key, QJsonArray::fromStringList(texts));
    };
    if (!request.code.isNull())
        object.insert(u"code"_s, QString::fromUtf8(request.code));
    insertText(u"cmd"_s, request.command);
    insertText(u"codeUrl"_s, request.codeUrl);
    insertText(u"codeHash"_s, request.codeHash);
    if (request.allowInsecureCodeUrl)
        object.insert(u"allowInsecureCodeUrl"_s, true);
    insertText(u"fileExtension"_s, request.fileExtension);
    insertList(u"args"_s, request.arguments);
    if (!request.environment.isEmpty())
        object.insert(u"env"_s, variablesJson(request.environment));
    if (request.stdinData)
        object.insert(u"stdin"_s, QString::fromUtf8(*request.stdinData));
    if (!request.files.isEmpty()) {
        QJsonObject files;
        for (const auto& [path, content] : request.files.asKeyValueRange())
            files.insert(
                path, QJsonObject { { u"base64"_s, QString::fromLatin1(content.toBase64()) } });
        object.insert(u"files"_s, files);
    }
    insertList(u"outputPaths"_s, request.outputPaths);
    insertList(u"installPackages"_s, request.installPackages);
    insertText(u"setupScript"_s, request.setupScript);
    object.insert(u"workdir"_s, request.workingDirectory); // None is refused, not the usual one.
    insertText(u"agentFlags"_s, request.agentFlags);
    if (request.hasTerminal)
        object.insert(u"tty"_s, true);
    if (request.timeout)
        object.insert(u"timeoutMs"_s, qint64(request.timeout->count()));
    if (!request.metadata.isEmpty())
        object.insert(u"metadata"_s, request.metadata);
    return object;
}

QJsonObject toJson(const ExecutionOptions& options)
{
    QJsonObject object { { u"mode"_s, modeName(options.mode) },
        { u"network"_s, networkModeName(options.network) }, { u"cpuLimit"_s, options.cpuLimit },
        { u"memoryLimit"_s, sizeText(options.memoryLimitBytes) },
        { u"pidsLimit"_s, options.pidsLimit }, { u"readonlyRootFs"_s, options.isRootReadOnly },
        { u"maxOutputSize"_s, options.maxOutputBytes },
        { u"timeoutMs"_s, qint64(options.timeout.count()) },
        { u"sandboxSize"_s, sizeText(options.sandboxSizeBytes) },
        { u"tmpSize"_s, sizeText(options.tmpSizeBytes) }, { u"persist"_s, options.isKept },
        { u"logNetwork"_s, options.isNetworkLogged } };
    const NetworkFilter& filter = options.networkFilter;
    if (!filter.allow.isEmpty() || !filter.deny.isEmpty())
        object.insert(u"networkFilter"_s,
            QJsonObject { { u"whitelist"_s, QJsonArray::fromStringList(filter.allow) },
                { u"blacklist"_s, QJsonArray::fromStringList(filter.deny) } });
    if (!options.secrets.isEmpty())
        object.insert(u"secrets"_s, variablesJson(options.secrets));
    if (!options.image.isEmpty())
        object.insert(u"image"_s, options.image);
    if (options.seccomp != SeccompMode::Strict) {
        QJsonObject security { { u"seccomp"_s, seccompName(options.seccomp) } };
        if (!options.seccompProfilePath.isEmpty())
            security.insert(u"customProfilePath"_s, options.seccompProfilePath);
        object.insert(u"security"_s, security);
    }
    return object;
}

} // namespace isol8
