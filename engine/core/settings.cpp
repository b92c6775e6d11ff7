// SPDX-License-Identifier: MIT
#include "engine/core/settings.h"

#include "engine/core/escape.h"
#include "engine/core/settingstable.h"
#include "engine/core/smallfile.h"
#include "engine/core/strictjson.h"
#include "engine/core/trust.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

#include <numeric>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 maxConfigBytes = 1LL << 20;
constexpr int shownCharacters = 60;
constexpr qsizetype maxUnknownKeys = 20; // A hostile file may hold a hundred thousand.
constexpr auto schemaKey = "$schema"_L1;

QString join(const QString& prefix, const QString& key)
{
    return prefix.isEmpty() ? key : prefix + u'.' + key;
}

bool isGroup(const QString& path)
{
    return std::ranges::any_of(settingKeys(),
        [prefix = path + u'.'](const SettingKey& key) { return key.path.startsWith(prefix); });
}

const SettingKey* keyOf(const QString& path)
{
    const auto found = std::ranges::find(settingKeys(), path, &SettingKey::path);
    return found == settingKeys().end() ? nullptr : &*found;
}

/// Insertions, removals and replacements that make one text of the other (Levenshtein).
int editDistance(const QString& from, const QString& to)
{
    std::vector<int> row(size_t(to.size()) + 1);
    std::iota(row.begin(), row.end(), 0);
    for (qsizetype i = 0; i < from.size(); ++i) {
        int diagonal = row[0]++;
        for (size_t j = 1; j < row.size(); ++j) {
            const int replaced
                = diagonal + (from[i].toLower() == to[qsizetype(j) - 1].toLower() ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({ replaced, row[j] + 1, row[j - 1] + 1 });
        }
    }
    return row.back();
}

/// The known key or group that @p path most likely meant; empty: none is near.
QString nearestKey(const QString& path)
{
    constexpr qsizetype longestKey = 64;
    if (path.size() > longestKey)
        return {};
    QStringList known;
    for (const SettingKey& key : settingKeys()) {
        known.append(key.path);
        for (qsizetype dot = key.path.lastIndexOf(u'.'); dot > 0;
            dot = key.path.lastIndexOf(u'.', dot - 1))
            known.append(key.path.first(dot));
    }
    QString nearest;
    int best = 1 + int(path.size()) / 3;
    for (const QString& candidate : known) {
        // The last name alone counts too: somebody wrote timeoutMs without its group.
        const int distance = std::min(
            editDistance(path, candidate), editDistance(path, candidate.section(u'.', -1)));
        if (distance < best) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

QString shownValue(const QJsonValue& value)
{
    const QByteArray text = QJsonDocument(QJsonArray { value }).toJson(QJsonDocument::Compact);
    const QString inner = QString::fromUtf8(text.sliced(1, text.size() - 2));
    return printable(inner.size() > shownCharacters ? inner.first(shownCharacters) + u'…' : inner);
}

/// Goes through a file's object, checks it against the table and writes the values.
class Reader {
public:
    Reader(const PositionedJson& json, bool isTrusted)
        : m_json(json)
        , m_isTrusted(isTrusted)
    {
    }

    Result<> read();

    LoadedSettings loaded;

private:
    Result<> readGroup(const QJsonObject& group, const QString& prefix);
    Result<> readKey(const QString& path, const QJsonValue& value);
    Result<> readLeaf(const SettingKey& key, const QJsonValue& value);
    void warnOfUnknown(const QString& path);
    [[nodiscard]] QString place(const QString& path) const;

    const PositionedJson& m_json;
    bool m_isTrusted;
    qsizetype m_unknownKeys = 0;
    const Settings m_defaults;
};

Result<> Reader::read()
{
    const auto done = readGroup(m_json.object, {});
    if (m_unknownKeys > maxUnknownKeys)
        loaded.warnings.append(u"%1 more unknown keys"_s.arg(m_unknownKeys - maxUnknownKeys));
    return done;
}

QString Reader::place(const QString& path) const
{
    const TextPosition position = m_json.positions.value(path);
    return u"line %1, column %2: "_s.arg(position.line).arg(position.column) + printable(path);
}

void Reader::warnOfUnknown(const QString& path)
{
    if (++m_unknownKeys > maxUnknownKeys)
        return;
    QString warning = place(path) + u": unknown key"_s;
    if (const QString nearest = nearestKey(path); !nearest.isEmpty())
        warning += u", did you mean %1?"_s.arg(nearest);
    loaded.warnings.append(warning);
}

Result<> Reader::readGroup(const QJsonObject& group, const QString& prefix)
{
    for (const QString& name : group.keys()) {
        if (prefix.isEmpty() && name == schemaKey)
            continue;
        const QString path = join(prefix, name);
        if (name.contains(u'.')) // Else `"defaults.timeoutMs": 1` would look like a known key.
            warnOfUnknown(path);
        else if (const auto done = readKey(path, group[name]); !done)
            return done;
    }
    return {};
}

Result<> Reader::readKey(const QString& path, const QJsonValue& value)
{
    if (const SettingKey* key = keyOf(path))
        return readLeaf(*key, value);
    if (path == "poolSize"_L1 && value.isDouble()) {
        for (const auto& part : { u"poolSize.clean"_s, u"poolSize.dirty"_s }) {
            SettingKey key = *keyOf(part);
            key.path = path;
            if (const auto done = readLeaf(key, value); !done)
                return done;
        }
        return {};
    }
    if (!isGroup(path)) {
        warnOfUnknown(path);
        return {};
    }
    if (!value.isObject())
        return failure(Kind::Invalid,
            u"%1: invalid value %2: allowed are objects"_s.arg(place(path), shownValue(value)));
    return readGroup(value.toObject(), path);
}

Result<> Reader::readLeaf(const SettingKey& key, const QJsonValue& value)
{
    if (const auto checked = checkSetting(key, value); !checked)
        return failure(Kind::Invalid,
            u"%1: invalid value %2: %3"_s.arg(
                place(key.path), shownValue(value), checked.error().message));
    const bool isDangerous = key.needsTrust && value != key.read(m_defaults)
        && (key.untrustedChoices.isEmpty() || key.untrustedChoices.contains(value.toString()));
    if (isDangerous && !m_isTrusted)
        loaded.ignoredKeys.append(key.path);
    else
        key.write(loaded.settings, value);
    return {};
}

Result<LoadedSettings> read(const QString& path, const QByteArray& content, bool isTrusted)
{
    const QString shown = printable(path);
    const auto json = parsePositionedJson(content);
    if (!json)
        return std::unexpected(json.error().within(shown));
    Reader reader(*json, isTrusted);
    if (const auto done = reader.read(); !done)
        return std::unexpected(done.error().within(shown));
    LoadedSettings loaded = std::move(reader.loaded);
    for (QString& warning : loaded.warnings)
        warning.prepend(shown + u": "_s);
    loaded.path = path;
    loaded.isTrusted = isTrusted;
    if (!loaded.ignoredKeys.isEmpty())
        loaded.warnings.append(
            u"%1 is not trusted, so these keys of it are ignored: %2; \"isol8 config --trust\" accepts them"_s
                .arg(shown, loaded.ignoredKeys.join(u", "_s)));
    return loaded;
}

/// Also true for a link to nowhere: a file that cannot be read must be an error, not the defaults.
bool isThere(const QString& path)
{
    const QFileInfo info(path);
    return info.exists() || info.isSymLink();
}

} // namespace

Settings::RemoteCode::RemoteCode()
    : blockedHosts { u"^localhost$"_s, u"\\.localhost$"_s, u"^0\\."_s, u"^10\\."_s, u"^127\\."_s,
        u"^100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\."_s, u"^169\\.254\\."_s,
        u"^172\\.(1[6-9]|2[0-9]|3[01])\\."_s, u"^192\\.168\\."_s, u"^\\[?::1?\\]?$"_s,
        u"^\\[?::ffff:"_s, u"^\\[?f[cd][0-9a-f]{2}:"_s, u"^\\[?fe[89ab][0-9a-f]:"_s,
        u"^metadata(\\.google\\.internal)?$"_s }
{
}

Result<LoadedSettings> loadSettings(
    const QString& workingDirectory, const QString& home, ConfigTrust trust)
{
    const QString project = workingDirectory + "/isol8.config.json"_L1;
    const QString personal = home + "/.isol8/config.json"_L1;
    if (!isThere(project))
        return isThere(personal) ? loadSettingsFile(personal) : LoadedSettings {};
    const auto content = readSmallFile(project, maxConfigBytes);
    if (!content)
        return std::unexpected(content.error());
    if (trust == ConfigTrust::Given)
        return read(project, *content, /*isTrusted=*/true);
    const auto isTrusted = TrustStore(home).isTrusted(project, *content);
    auto loaded = read(project, *content, isTrusted.value_or(false));
    if (loaded && !isTrusted)
        loaded->warnings.append(isTrusted.error().message);
    return loaded;
}

Result<LoadedSettings> loadSettingsFile(const QString& path)
{
    const auto content = readSmallFile(path, maxConfigBytes);
    if (!content)
        return std::unexpected(content.error());
    return read(path, *content, /*isTrusted=*/true);
}

QJsonObject toJson(const Settings& settings)
{
    const std::function<void(QJsonObject&, const QString&, const QJsonValue&)> insert
        = [&insert](QJsonObject& object, const QString& path, const QJsonValue& value) {
              const qsizetype dot = path.indexOf(u'.');
              if (dot < 0) {
                  object.insert(path, value);
                  return;
              }
              QJsonObject child = object[path.first(dot)].toObject();
              insert(child, path.sliced(dot + 1), value);
              object.insert(path.first(dot), child);
          };
    QJsonObject object;
    for (const SettingKey& key : settingKeys())
        insert(object, key.path, key.read(settings));
    return object;
}

ExecutionOptions defaultOptions(const Settings& settings)
{
    ExecutionOptions options;
    options.network = settings.defaults.network;
    options.networkFilter.allow = settings.network.whitelist;
    options.networkFilter.deny = settings.network.blacklist;
    options.networkFilter.ports = settings.network.ports;
    options.networkFilter.isPrivateAllowed = settings.network.allowPrivate;
    options.networkFilter.allowAddresses = settings.network.allowAddresses;
    options.registries = settings.registries;
    options.cpuLimit = settings.defaults.cpuLimit;
    options.memoryLimitBytes = settings.defaults.memoryLimitBytes;
    options.sandboxSizeBytes = settings.defaults.sandboxSizeBytes;
    options.tmpSizeBytes = settings.defaults.tmpSizeBytes;
    options.isRootReadOnly = settings.defaults.isRootReadOnly;
    options.timeout = settings.defaults.timeout;
    options.seccomp = settings.security.seccomp;
    options.seccompProfilePath = settings.security.customProfilePath;
    options.caBundlePath = settings.network.caBundle;
    return options;
}

} // namespace isol8
