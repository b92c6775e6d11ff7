// SPDX-License-Identifier: MIT
#include "engine/images/imagename.h"

#include "engine/core/escape.h"
#include "engine/core/names.h"

#include <QRegularExpression>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qsizetype maxNameLength = 214; // npm's own bound, the largest of all
constexpr qsizetype maxTagLength = 255;

const QRegularExpression& packagePattern(Runtime runtime)
{
    // Each begins with a letter or digit (or npm's scope), so no name is read as an option or a
    // path. A version follows the manager's own separator; extras are Python's.
    static const QRegularExpression python(
        uR"(\A[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._,-]+\])?(?:(?:===|==|>=|<=|~=|!=|>|<)[A-Za-z0-9.*+!_-]+(?:,(?:==|>=|<=|~=|!=|>|<)[A-Za-z0-9.*+!_-]+)*)?\z)"_s);
    static const QRegularExpression npm(
        uR"(\A(?:@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*(?:@[A-Za-z0-9^~>=<.*+_-]+)?\z)"_s);
    static const QRegularExpression deno(
        uR"(\A(?:(?:npm:)?(?:@[a-z0-9~-][a-z0-9._~-]*/)?|jsr:@[a-z0-9-]+/)[A-Za-z0-9~][A-Za-z0-9._~-]*(?:@[A-Za-z0-9^~>=<.*+_-]+)?\z)"_s);
    static const QRegularExpression debian(
        uR"(\A[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~-]+)?\z)"_s);
    switch (runtime) {
    case Runtime::Python:
        return python;
    case Runtime::Node:
    case Runtime::Bun:
    case Runtime::Agent:
        return npm;
    case Runtime::Deno:
        return deno;
    case Runtime::Bash:
        break;
    }
    return debian;
}

QString exampleOf(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return u"numpy or numpy==2.1.0"_s;
    case Runtime::Node:
    case Runtime::Bun:
    case Runtime::Agent:
        return u"lodash or @types/node@22"_s;
    case Runtime::Deno:
        return u"npm:chalk@5 or jsr:@std/path"_s;
    case Runtime::Bash:
        break;
    }
    return u"ripgrep"_s;
}

} // namespace

QString baseImageTag(Runtime runtime)
{
    return u"isol8:"_s + runtimeName(runtime);
}

QString customImageTag(Runtime runtime)
{
    return baseImageTag(runtime) + u"-custom"_s;
}

QString sharedBaseTag()
{
    return u"isol8:base"_s;
}

Result<> validateTag(const QString& tag)
{
    const auto refuse = [&tag](const QString& why) {
        return failure(
            Kind::Invalid, u"the tag '%1' %2"_s.arg(printable(tag.left(maxTagLength)), why));
    };
    if (tag.isEmpty())
        return failure(Kind::Invalid, u"the tag is empty; give a name such as my-image:latest"_s);
    if (tag.size() > maxTagLength)
        return refuse(u"is longer than %1 characters"_s.arg(maxTagLength));
    if (tag.contains(u'@'))
        return refuse(u"names a digest; give a name such as my-image:latest"_s);
    const auto colon = tag.lastIndexOf(u':');
    const auto name = colon > tag.lastIndexOf(u'/') ? tag.left(colon) : tag;
    if (name.toLower() != name)
        return refuse(u"has upper case letters; Docker takes lower case names only"_s);

    // The grammar of Docker's reference format: components of lower case letters and digits,
    // separated by one of `.`, `_`, `__` and dashes.
    static const QRegularExpression reference(
        uR"(\A(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?/)?(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?\z)"_s);
    if (!reference.match(tag).hasMatch()) {
        return refuse(
            u"is not a Docker image name; it takes lower case letters, digits and . _ - / with "
            "one :version at its end, such as my-image:latest"_s);
    }
    QStringList reserved { sharedBaseTag() };
    for (const auto runtime : allRuntimes())
        reserved << baseImageTag(runtime) << customImageTag(runtime);
    if (reserved.contains(tag) || tag == "isol8"_L1)
        return refuse(u"is one of isol8's own images; choose another name"_s);
    return {};
}

Result<> validatePackageName(Runtime runtime, const QString& name)
{
    if (name.isEmpty())
        return failure(Kind::Invalid, u"a package name is empty"_s);
    if (name.size() > maxNameLength) {
        return failure(Kind::Invalid,
            u"the package name '%1…' is longer than %2 characters"_s.arg(printable(name.left(40)))
                .arg(maxNameLength));
    }
    if (!packagePattern(runtime).match(name).hasMatch() || name.contains(".."_L1)) {
        return failure(Kind::Invalid,
            u"'%1' is not a package name for %2; give names such as %3, not URLs, paths or options"_s
                .arg(printable(name), runtimeName(runtime), exampleOf(runtime)));
    }
    return {};
}

} // namespace isol8
