// SPDX-License-Identifier: MIT
#include "engine/core/executionjson.h"

#include "engine/core/jsonreader.h"
#include "engine/core/jsontext.h"
#include "engine/core/names.h"
#include "engine/core/units.h"

#include <QJsonDocument>
#include <QStringDecoder>

#include <array>
#include <cmath>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

using std::chrono::microseconds;

constexpr double bytesPerMegabyte = 1 << 20;
constexpr qint64 longestMilliseconds = 1LL << 50;

double rounded(double value, int decimals)
{
    const double factor = std::pow(10, decimals);
    return std::round(value * factor) / factor;
}

double milliseconds(microseconds duration)
{
    return rounded(double(duration.count()) / 1000, 3);
}

/// As 0.20 gives it: decoded, without the white space at its end.
QString outputText(const QByteArray& bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8,
        QStringDecoder::Flag::Stateless | QStringDecoder::Flag::ConvertInitialBom);
    QString text = decoder(bytes);
    qsizetype size = text.size();
    while (size > 0 && text[size - 1].isSpace())
        --size;
    text.truncate(size);
    return text;
}

QJsonObject endingJson(const Ending& ending)
{
    QJsonObject object { { u"reason"_s, reasonName(ending.reason) } };
    if (!ending.limit.isEmpty())
        object.insert(u"limit"_s, ending.limit);
    if (!ending.value.isEmpty())
        object.insert(u"value"_s, ending.value);
    return object;
}

QJsonObject usageJson(const ExecutionResult& result)
{
    const double wall = double(result.duration.count());
    const double cpu = wall > 0 ? 100 * double(result.cpuTime.count()) / wall : 0;
    const double peak = rounded(double(result.peakMemoryBytes) / bytesPerMegabyte, 3);
    return { { u"cpuPercent"_s, rounded(cpu, 2) }, { u"memoryMB"_s, peak },
        { u"peakMemoryMB"_s, peak }, { u"networkBytesIn"_s, result.networkBytesIn },
        { u"networkBytesOut"_s, result.networkBytesOut } };
}

// The members of PhaseTimes by their keys.
struct PhaseMember {
    QLatin1StringView key;
    microseconds PhaseTimes::* member;
};
constexpr std::array phaseMembers {
    PhaseMember { "queue"_L1, &PhaseTimes::queue },
    PhaseMember { "acquire"_L1, &PhaseTimes::acquire },
    PhaseMember { "install"_L1, &PhaseTimes::install },
    PhaseMember { "setup"_L1, &PhaseTimes::setup },
    PhaseMember { "run"_L1, &PhaseTimes::run },
};

QJsonArray violationsJson(const QList<Violation>& violations)
{
    QJsonArray array;
    for (const Violation& violation : violations) {
        array.append(QJsonObject { { u"kind"_s, violation.kind }, { u"detail"_s, violation.detail },
            { u"allowWith"_s, violation.allowWith } });
    }
    return array;
}

QJsonArray networkLogsJson(const QList<NetworkLogEntry>& entries)
{
    QJsonArray array;
    for (const NetworkLogEntry& entry : entries) {
        array.append(
            QJsonObject { { u"timestamp"_s, entry.timestamp.toUTC().toString(Qt::ISODateWithMs) },
                { u"method"_s, entry.method }, { u"host"_s, entry.host },
                { u"path"_s, entry.path ? QJsonValue(*entry.path) : QJsonValue() },
                { u"action"_s, entry.isAllowed ? u"ALLOW"_s : u"BLOCK"_s },
                { u"durationMs"_s, milliseconds(entry.duration) }, { u"rule"_s, entry.rule } });
    }
    return array;
}

/// Milliseconds, possibly with a fraction, as @p target.
void readTime(JsonReader& reader, const QString& key, microseconds& target)
{
    double value = double(target.count()) / 1000;
    reader.read(key, value);
    if (value < 0 || value > double(longestMilliseconds))
        reader.refuse(key, u"milliseconds"_s);
    else
        target = microseconds(std::llround(value * 1000));
}

void readEnding(JsonReader& reader, ExecutionResult& result)
{
    QJsonObject object;
    reader.read(u"ending"_s, object);
    JsonReader ending(object, reader.pathOf(u"ending"_s), Kind::Protocol);
    ending.readName(u"reason"_s, result.ending.reason, reasonFromName, u"reasons of an ending"_s);
    ending.read(u"limit"_s, result.ending.limit);
    ending.read(u"value"_s, result.ending.value);
    if (ending.error())
        reader.fail(*ending.error());
}

void readUsage(JsonReader& reader, ExecutionResult& result)
{
    QJsonObject object;
    reader.read(u"resourceUsage"_s, object);
    JsonReader usage(object, reader.pathOf(u"resourceUsage"_s), Kind::Protocol);
    double peak = 0;
    usage.read(u"peakMemoryMB"_s, peak);
    if (peak < 0 || peak > double(maxSizeBytes) / bytesPerMegabyte)
        usage.refuse(u"peakMemoryMB"_s, u"megabytes"_s);
    else
        result.peakMemoryBytes = std::llround(peak * bytesPerMegabyte);
    usage.readWhole(u"networkBytesIn"_s, result.networkBytesIn, 0, maxSizeBytes);
    usage.readWhole(u"networkBytesOut"_s, result.networkBytesOut, 0, maxSizeBytes);
    QJsonObject times;
    reader.read(u"phasesMs"_s, times);
    JsonReader phases(times, reader.pathOf(u"phasesMs"_s), Kind::Protocol);
    for (const PhaseMember& phase : phaseMembers)
        readTime(phases, phase.key, result.phases.*phase.member);
    for (const JsonReader* part : { &usage, &phases }) {
        if (part->error())
            reader.fail(*part->error());
    }
}

void readFiles(JsonReader& reader, ExecutionResult& result)
{
    QMap<QString, QString> files;
    reader.read(u"files"_s, files);
    for (const auto& [path, text] : files.asKeyValueRange()) {
        const auto decoded = QByteArray::fromBase64Encoding(
            text.toLatin1(), QByteArray::AbortOnBase64DecodingErrors);
        if (!decoded)
            reader.refuse(u"files"_s, u"contents in base64"_s);
        result.files.insert(path, *decoded);
    }
    reader.read(u"missingFiles"_s, result.missingFiles);
}

void readViolations(JsonReader& reader, ExecutionResult& result)
{
    const QJsonValue list = reader.value(u"violations"_s);
    if (!list.isUndefined() && !list.isArray())
        reader.refuse(u"violations"_s, u"lists of objects"_s);
    for (const QJsonValue& item : list.toArray()) {
        JsonReader one(item.toObject(), reader.pathOf(u"violations"_s), Kind::Protocol);
        Violation violation;
        one.read(u"kind"_s, violation.kind);
        one.read(u"detail"_s, violation.detail);
        one.read(u"allowWith"_s, violation.allowWith);
        if (one.error())
            reader.fail(*one.error());
        result.violations.append(violation);
    }
}

void readNetworkLogs(JsonReader& reader, ExecutionResult& result)
{
    const auto actionFromName = [](const QString& name) -> std::optional<bool> {
        if (name == "ALLOW"_L1)
            return true;
        return name == "BLOCK"_L1 ? std::optional(false) : std::nullopt;
    };
    const QJsonValue list = reader.value(u"networkLogs"_s);
    if (!list.isUndefined() && !list.isArray())
        reader.refuse(u"networkLogs"_s, u"lists of objects"_s);
    for (const QJsonValue& item : list.toArray()) {
        JsonReader one(item.toObject(), reader.pathOf(u"networkLogs"_s), Kind::Protocol);
        NetworkLogEntry entry;
        QString timestamp;
        QString path;
        one.read(u"timestamp"_s, timestamp);
        one.read(u"method"_s, entry.method);
        one.read(u"host"_s, entry.host);
        if (one.value(u"path"_s).isString()) {
            one.read(u"path"_s, path);
            entry.path = path;
        }
        one.readName(u"action"_s, entry.isAllowed, actionFromName, u"ALLOW and BLOCK"_s);
        readTime(one, u"durationMs"_s, entry.duration);
        one.read(u"rule"_s, entry.rule);
        entry.timestamp = QDateTime::fromString(timestamp, Qt::ISODateWithMs).toUTC();
        if (one.error())
            reader.fail(*one.error());
        result.networkLogs.append(entry);
    }
}

struct EventName {
    StreamEvent::Type type;
    QLatin1StringView text;
};
constexpr std::array eventNames {
    EventName { StreamEvent::Type::Stdout, "stdout"_L1 },
    EventName { StreamEvent::Type::Stderr, "stderr"_L1 },
    EventName { StreamEvent::Type::Exit, "exit"_L1 },
    EventName { StreamEvent::Type::Error, "error"_L1 },
};

/// All but what may be large: output and files.
QJsonObject detailsJson(const ExecutionResult& result)
{
    QJsonObject phases;
    for (const PhaseMember& phase : phaseMembers)
        phases.insert(phase.key, milliseconds(result.phases.*phase.member));
    QJsonObject object { { u"exitCode"_s, result.exitCode },
        { u"durationMs"_s, qint64(std::llround(double(result.duration.count()) / 1000)) },
        { u"truncated"_s, result.isTruncated }, { u"executionId"_s, result.executionId },
        { u"runtime"_s, runtimeName(result.runtime) },
        { u"timestamp"_s, result.timestamp.toUTC().toString(Qt::ISODateWithMs) },
        { u"containerId"_s, result.containerId }, { u"resourceUsage"_s, usageJson(result) },
        { u"networkLogs"_s, networkLogsJson(result.networkLogs) },
        { u"ending"_s, endingJson(result.ending) }, { u"timedOut"_s, result.isTimedOut },
        { u"oomKilled"_s, result.isOutOfMemory }, { u"cpuMs"_s, milliseconds(result.cpuTime) },
        { u"phasesMs"_s, phases }, { u"imageDigest"_s, result.imageDigest },
        { u"violations"_s, violationsJson(result.violations) } };
    if (!result.signal.isEmpty())
        object.insert(u"signal"_s, result.signal);
    if (!result.missingFiles.isEmpty())
        object.insert(u"missingFiles"_s, QJsonArray::fromStringList(result.missingFiles));
    return object;
}

bool tellsOfFiles(const ExecutionResult& result)
{
    return !result.files.isEmpty() || !result.missingFiles.isEmpty();
}

} // namespace

QJsonObject toJson(const ExecutionResult& result)
{
    auto object = detailsJson(result);
    object.insert(u"stdout"_s, outputText(result.standardOutput));
    object.insert(u"stderr"_s, outputText(result.standardError));
    if (tellsOfFiles(result)) {
        QJsonObject files;
        for (const auto& [path, content] : result.files.asKeyValueRange())
            files.insert(path, QString::fromLatin1(content.toBase64()));
        object.insert(u"files"_s, files);
    }
    return object;
}

QByteArray toJsonText(const ExecutionResult& result)
{
    auto text = QJsonDocument(detailsJson(result)).toJson(QJsonDocument::Compact);
    text.back() = ',';
    text += R"("stdout":)";
    appendJsonString(text, withoutTrailingSpace(result.standardOutput));
    text += R"(,"stderr":)";
    appendJsonString(text, withoutTrailingSpace(result.standardError));
    if (tellsOfFiles(result)) {
        char separator = '{';
        text += R"(,"files":)";
        for (const auto& [path, content] : result.files.asKeyValueRange()) {
            text += std::exchange(separator, ',');
            appendJsonString(text, path.toUtf8());
            text += ':';
            appendBase64String(text, content);
        }
        text += separator == '{' ? "{}" : "}";
    }
    return text + '}';
}

Result<ExecutionResult> resultFromJson(const QJsonObject& object)
{
    JsonReader reader(object, {}, Kind::Protocol);
    ExecutionResult result;
    QString output;
    QString errors;
    QString timestamp;
    for (const QString& key : { u"exitCode"_s, u"stdout"_s, u"stderr"_s })
        reader.require(key);
    reader.read(u"stdout"_s, output);
    reader.read(u"stderr"_s, errors);
    reader.readWhole(u"exitCode"_s, result.exitCode, -1, 255);
    readTime(reader, u"durationMs"_s, result.duration);
    reader.read(u"truncated"_s, result.isTruncated);
    reader.read(u"executionId"_s, result.executionId);
    reader.readName(u"runtime"_s, result.runtime, runtimeFromName, u"runtimes"_s);
    reader.read(u"timestamp"_s, timestamp);
    reader.read(u"containerId"_s, result.containerId);
    reader.read(u"timedOut"_s, result.isTimedOut);
    reader.read(u"oomKilled"_s, result.isOutOfMemory);
    reader.read(u"signal"_s, result.signal);
    readTime(reader, u"cpuMs"_s, result.cpuTime);
    reader.read(u"imageDigest"_s, result.imageDigest);
    readEnding(reader, result);
    readUsage(reader, result);
    readFiles(reader, result);
    readViolations(reader, result);
    readNetworkLogs(reader, result);
    if (reader.error())
        return std::unexpected(*reader.error());
    result.standardOutput = output.toUtf8();
    result.standardError = errors.toUtf8();
    result.timestamp = QDateTime::fromString(timestamp, Qt::ISODateWithMs).toUTC();
    return result;
}

namespace {

/// All but its data, which may be large.
QJsonObject detailsJson(const StreamEvent& event)
{
    const auto name = std::ranges::find(eventNames, event.type, &EventName::type);
    QJsonObject object { { u"type"_s, QString(name->text) } };
    if (event.phase) {
        // 0.20 knows two phases; an install belongs to its setup.
        const Phase phase = *event.phase == Phase::Install ? Phase::Setup : *event.phase;
        object.insert(u"phase"_s, phaseName(phase));
    }
    if (!event.executionId.isEmpty())
        object.insert(u"executionId"_s, event.executionId);
    if (event.httpStatus != 0)
        object.insert(u"status"_s, event.httpStatus);
    return object;
}

} // namespace

QJsonObject toJson(const StreamEvent& event)
{
    auto object = detailsJson(event);
    object.insert(u"data"_s, event.data);
    return object;
}

QByteArray toJsonText(const StreamEvent& event)
{
    // Its keys are in the order of QJsonDocument.
    QByteArray text = R"({"data":)";
    appendJsonString(text, event.data.toUtf8());
    auto details = QJsonDocument(detailsJson(event)).toJson(QJsonDocument::Compact);
    details.front() = ',';
    return text + details;
}

Result<StreamEvent> streamEventFromJson(const QJsonObject& object)
{
    JsonReader reader(object, {}, Kind::Protocol);
    const auto typeFromName = [](const QString& name) {
        const auto found = std::ranges::find(eventNames, name, &EventName::text);
        return found == eventNames.end() ? std::nullopt : std::optional(found->type);
    };
    StreamEvent event;
    reader.require(u"type"_s);
    reader.require(u"data"_s);
    reader.readName(u"type"_s, event.type, typeFromName, u"stdout, stderr, exit and error"_s);
    reader.read(u"data"_s, event.data);
    reader.readName(u"phase"_s, event.phase, phaseFromName, u"setup and code"_s);
    reader.read(u"executionId"_s, event.executionId);
    reader.readWhole(u"status"_s, event.httpStatus, 400, 599);
    if (reader.error())
        return std::unexpected(*reader.error());
    return event;
}

} // namespace isol8
