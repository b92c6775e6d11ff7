// SPDX-License-Identifier: MIT
#include "engine/sandbox/installrecipe.h"

#include "engine/core/hostpattern.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QUrl>

#include <algorithm>

namespace isol8::installrecipe {

using namespace Qt::StringLiterals;

namespace {

constexpr int maxIndexes = 20;

// Where apt and dpkg unpack to, and what of it programs need to be told.
const QString debianRoot = u"/sandbox/.debian"_s;
const QString denoDirectory = u"/sandbox/.deno"_s;
const QString temporaryDirectory = u"/sandbox/.isol8-install"_s;

QStringList publicIndexes(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return { u"https://pypi.org/simple"_s };
    case Runtime::Node:
    case Runtime::Bun:
    case Runtime::Agent:
        return { u"https://registry.npmjs.org/"_s };
    case Runtime::Deno:
        return { u"https://registry.npmjs.org/"_s, u"https://jsr.io/"_s };
    case Runtime::Bash:
        break;
    }
    return { u"http://deb.debian.org/debian"_s };
}

/// Lines of `pip config list`: `global.index-url='https://…'`.
QStringList pipIndexes(const QString& answer)
{
    static const QRegularExpression line(
        uR"(^\S*?\.(index-url|extra-index-url|find-links)=(.*)$)"_s,
        QRegularExpression::MultilineOption);
    static const QRegularExpression url(uR"(https?://[^\s'"\\]+)"_s);
    QStringList urls;
    bool hasIndex = false;
    for (const auto& match : line.globalMatch(answer)) {
        hasIndex = hasIndex || match.capturedView(1) == u"index-url";
        for (const auto& found : url.globalMatch(match.captured(2)))
            urls << found.captured();
    }
    return hasIndex ? urls : publicIndexes(Runtime::Python) + urls;
}

/// `npm config list --json`: `registry`, and one for each scope.
QStringList npmIndexes(const QByteArray& answer)
{
    const auto settings = QJsonDocument::fromJson(answer).object();
    QStringList urls;
    for (auto it = settings.begin(); it != settings.end(); ++it) {
        if (it.key() == "registry"_L1 || it.key().endsWith(":registry"_L1))
            urls << it.value().toString();
    }
    return urls;
}

/// `apt-get update --print-uris`: `'http://…/InRelease' name 0`.
QStringList aptIndexes(const QString& answer)
{
    static const QRegularExpression quoted(uR"(^'([^']+)')"_s, QRegularExpression::MultilineOption);
    QStringList urls;
    for (const auto& match : quoted.globalMatch(answer))
        urls << match.captured(1);
    return urls;
}

QByteArray aptScript()
{
    // As a user: a state of its own, nothing locked, nothing set up; the packages are only
    // unpacked. dpkg's list of what the image has is read, so that only the rest is fetched.
    return R"(set -e
command -v apt-get >/dev/null || { echo "this image has no apt-get" >&2; exit 127; }
state=$TMPDIR/apt
mkdir -p "$state/lists/partial" "$state/archives/partial" /sandbox/.debian
cat >"$state/apt.conf" <<END
Dir::State "$state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$state";
Dir::Log "$state";
APT::Sandbox::User "";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Retries "1";
Debug::NoLocking "true";
Dpkg::Use-Pty "false";
END
if [ -n "$SSL_CERT_FILE" ]; then
    echo "Acquire::https::CaInfo \"$SSL_CERT_FILE\";" >>"$state/apt.conf"
fi
if [ -n "$APT_MIRROR" ]; then
    . /etc/os-release
    echo "deb $APT_MIRROR $VERSION_CODENAME main" >"$state/sources.list"
    echo "Dir::Etc::SourceList \"$state/sources.list\"; Dir::Etc::SourceParts \"/dev/null\";" \
        >>"$state/apt.conf"
fi
export APT_CONFIG=$state/apt.conf
apt-get update
apt-get install --download-only "$@"
for package in "$state"/archives/*.deb; do
    [ -e "$package" ] || break
    echo "Unpacking ${package##*/}"
    dpkg-deb --extract "$package" /sandbox/.debian
    rm "$package"
done
)";
}

QByteArray installCommand(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return "python3 -m pip install --user --no-input --no-cache-dir --progress-bar off "
               "--disable-pip-version-check --no-warn-script-location -- \"$@\"\n";
    case Runtime::Node:
    case Runtime::Agent:
        // A package.json that is there is the user's own.
        return "saving=\n[ ! -e package.json ] || saving=--no-save\n"
               "npm install $saving --cache \"$TMPDIR/npm\" --no-update-notifier --no-fund "
               "--no-audit --no-progress -- \"$@\"\n";
    case Runtime::Bun:
        return "export BUN_INSTALL_CACHE_DIR=$TMPDIR/bun\nbun add --no-progress \"$@\"\n";
    case Runtime::Deno:
        return "if [ ! -e \"$DENO_DIR\" ] && [ -d \"$ISOL8_BAKED_DENO_DIR\" ]; then\n"
               "    cp -r \"$ISOL8_BAKED_DENO_DIR\" \"$DENO_DIR\"\nfi\n"
               "for name in \"$@\"; do\n    shift\n"
               "    case $name in npm:*|jsr:*) ;; *) name=npm:$name ;; esac\n"
               "    set -- \"$@\" \"$name\"\ndone\ndeno cache \"$@\"\n";
    case Runtime::Bash:
        break;
    }
    return aptScript();
}

QString joinedPaths(const QStringList& paths, const QString& before)
{
    return before.isEmpty() ? paths.join(u':') : paths.join(u':') + u':' + before;
}

bool isSameRuntime(Runtime one, Runtime other)
{
    const auto plain
        = [](Runtime runtime) { return runtime == Runtime::Agent ? Runtime::Node : runtime; };
    return plain(one) == plain(other);
}

} // namespace

QString managerName(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return u"pip"_s;
    case Runtime::Node:
    case Runtime::Agent:
        return u"npm"_s;
    case Runtime::Bun:
        return u"bun"_s;
    case Runtime::Deno:
        return u"deno"_s;
    case Runtime::Bash:
        break;
    }
    return u"apt"_s;
}

QByteArray question(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return "exec python3 -I -m pip config list";
    case Runtime::Node:
    case Runtime::Agent:
        return "exec npm config list --json";
    case Runtime::Bun:
        return "echo \"${BUN_CONFIG_REGISTRY:-$NPM_CONFIG_REGISTRY}\"";
    case Runtime::Deno:
        return "echo \"$NPM_CONFIG_REGISTRY\"; echo \"${JSR_URL:-https://jsr.io/}\"";
    case Runtime::Bash:
        break;
    }
    // What it would fetch; nothing is. (`indextargets` tells of lists only that are there.)
    return "exec apt-get update --print-uris -o Debug::NoLocking=true";
}

QByteArrayList questionEnvironment(const QStringList& imageEnvironment)
{
    QByteArrayList environment;
    for (const auto& variable : imageEnvironment) {
        if (!variable.startsWith("HOME="_L1))
            environment << variable.toUtf8();
    }
    if (std::ranges::none_of(
            environment, [](const auto& variable) { return variable.startsWith("PATH="); }))
        environment << "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return environment << "HOME=/nonexistent";
}

QStringList indexUrlsIn(Runtime runtime, const QByteArray& answer)
{
    QStringList named;
    if (runtime == Runtime::Python)
        named = pipIndexes(QString::fromUtf8(answer));
    else if (runtime == Runtime::Node || runtime == Runtime::Agent)
        named = npmIndexes(answer);
    else if (runtime == Runtime::Bash)
        named = aptIndexes(QString::fromUtf8(answer));
    else
        named = QString::fromUtf8(answer).split(u'\n');

    QStringList urls;
    for (const auto& each : named) {
        const QUrl url(each.trimmed(), QUrl::StrictMode);
        const bool isWeb = url.scheme() == "http"_L1 || url.scheme() == "https"_L1;
        if (isWeb && !url.host().isEmpty() && !urls.contains(each.trimmed())
            && urls.size() < maxIndexes)
            urls << each.trimmed();
    }
    // Deno's first line is npm's registry, which may be left to its default.
    const bool isRegistryNamed = runtime != Runtime::Deno || !named.value(0).trimmed().isEmpty();
    if (urls.isEmpty())
        return publicIndexes(runtime);
    return isRegistryNamed ? urls : publicIndexes(Runtime::Node) + urls;
}

QStringList hostsOf(const QStringList& indexUrls)
{
    static const QMap<QString, QStringList> companions {
        { u"pypi.org"_s, { u"files.pythonhosted.org"_s } },
        { u"test.pypi.org"_s, { u"test-files.pythonhosted.org"_s } },
        { u"jsr.io"_s, { u"npm.jsr.io"_s } },
    };
    QStringList hosts;
    for (const auto& url : indexUrls) {
        const auto host = QUrl(url).host();
        hosts << host << companions.value(host);
    }
    hosts.removeAll(QString());
    hosts.removeDuplicates();
    return hosts;
}

NetworkFilter filterFor(NetworkFilter filter, const QStringList& hosts)
{
    for (const auto& host : hosts) {
        if (const auto pattern = patternFromGlob(host))
            filter.allow << *pattern;
    }
    // An empty list would mean every host.
    if (filter.allow.isEmpty())
        filter.allow << u"(?!)"_s;
    return filter;
}

QByteArray script(Runtime runtime)
{
    // Not in /tmp, where nothing can be executed, and where it would count a second time.
    return "set -e\ncd /sandbox\nmkdir -p \"$TMPDIR\"\n"
           "trap 'rm -rf \"$TMPDIR\"' EXIT\n"
        + installCommand(runtime);
}

QMap<QString, QString> environment(
    Runtime runtime, const QString& registry, const QStringList& imageEnvironment)
{
    QMap<QString, QString> variables { { u"TMPDIR"_s, temporaryDirectory },
        { u"NO_COLOR"_s, u"1"_s } };
    switch (runtime) {
    case Runtime::Python:
        variables.insert(u"PIP_BREAK_SYSTEM_PACKAGES"_s, u"1"_s);
        if (!registry.isEmpty())
            variables.insert(u"PIP_INDEX_URL"_s, registry);
        // pip refuses plain HTTP but from loopback; an index that is configured so is meant so.
        if (const QUrl url(registry); url.scheme() == "http"_L1)
            variables.insert(u"PIP_TRUSTED_HOST"_s, url.host());
        break;
    case Runtime::Node:
    case Runtime::Agent:
    case Runtime::Bun:
    case Runtime::Deno:
        if (!registry.isEmpty())
            variables.insert(u"NPM_CONFIG_REGISTRY"_s, registry);
        for (const auto& variable : imageEnvironment) {
            if (variable.startsWith("DENO_DIR="_L1))
                variables.insert(u"ISOL8_BAKED_DENO_DIR"_s, variable.section(u'=', 1));
        }
        break;
    case Runtime::Bash:
        if (!registry.isEmpty())
            variables.insert(u"APT_MIRROR"_s, registry);
        break;
    }
    return variables;
}

QMap<QString, QString> environmentAfter(Runtime runtime, const QMap<QString, QString>& before)
{
    const auto path = before.value(u"PATH"_s);
    switch (runtime) {
    case Runtime::Python:
        break;
    case Runtime::Node:
    case Runtime::Agent:
    case Runtime::Bun:
        return { { u"PATH"_s, joinedPaths({ u"/sandbox/node_modules/.bin"_s }, path) } };
    case Runtime::Deno:
        return { { u"DENO_DIR"_s, denoDirectory } }; // The image's own cannot be written.
    case Runtime::Bash: {
        const auto below = [](const QString& name) { return debianRoot + name; };
        return { { u"PATH"_s,
                     joinedPaths(
                         { below(u"/usr/local/bin"_s), below(u"/usr/bin"_s), below(u"/bin"_s),
                             below(u"/usr/sbin"_s), below(u"/sbin"_s), below(u"/usr/games"_s) },
                         path) },
            { u"LD_LIBRARY_PATH"_s,
                joinedPaths(
                    { below(u"/usr/lib/x86_64-linux-gnu"_s), below(u"/usr/lib/aarch64-linux-gnu"_s),
                        below(u"/usr/lib"_s), below(u"/lib"_s) },
                    before.value(u"LD_LIBRARY_PATH"_s)) },
            { u"XDG_DATA_DIRS"_s,
                joinedPaths({ below(u"/usr/share"_s) },
                    before.value(u"XDG_DATA_DIRS"_s, u"/usr/local/share:/usr/share"_s)) } };
    }
    }
    return {};
}

QString imageWith(const QStringList& packages, Runtime runtime, const QList<CustomImage>& images)
{
    const CustomImage* best = nullptr;
    for (const auto& image : images) {
        const bool hasAll = std::ranges::all_of(
            packages, [&image](const auto& package) { return image.packages.contains(package); });
        if (!isSameRuntime(image.runtime, runtime) || !hasAll)
            continue;
        // None can have fewer than those that were made for exactly these.
        if (!best || image.packages.size() < best->packages.size())
            best = &image;
    }
    return best ? best->tag : QString();
}

} // namespace isol8::installrecipe
