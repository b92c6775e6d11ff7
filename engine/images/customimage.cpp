// SPDX-License-Identifier: MIT
// Images with packages and the effect of a script baked in.
#include "engine/core/escape.h"
#include "engine/core/names.h"
#include "engine/images/host.h"
#include "engine/images/imagejob.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"
#include "engine/images/installfailure.h"

#include <QRegularExpression>

using namespace Qt::StringLiterals;

namespace isol8::imagejob {

namespace {

constexpr qsizetype maxScriptBytes = 64 << 10; // it is kept in a label
constexpr qsizetype maxPackages = 500;
constexpr qsizetype maxShownOutput = 2000;

Result<> check(const CustomImageSpec& spec)
{
    if (spec.tag != customImageTag(spec.base)) {
        if (const auto valid = validateTag(spec.tag); !valid)
            return valid;
    }
    if (spec.packages.isEmpty() && spec.setupScript.trimmed().isEmpty()) {
        return failure(Kind::Invalid,
            u"nothing to put into %1; name packages or a setup script"_s.arg(spec.tag));
    }
    if (spec.packages.size() > maxPackages)
        return failure(
            Kind::Limit, u"more than %1 packages for %2"_s.arg(maxPackages).arg(spec.tag));
    for (const auto& name : spec.packages) {
        if (const auto valid = validatePackageName(spec.base, name); !valid)
            return valid;
    }
    if (spec.setupScript.toUtf8().size() > maxScriptBytes || spec.setupScript.contains(QChar(0))) {
        return failure(Kind::Invalid,
            u"the setup script of %1 is longer than 64 KiB or holds a NUL byte"_s.arg(spec.tag));
    }
    return {};
}

/// What the failing step itself wrote, when @p message has it.
QString stepOutput(const QString& message)
{
    static const QRegularExpression running(uR"(---> Running in [0-9a-f]+(?:\n|\z))"_s);
    static const QRegularExpression removing(
        uR"(\n?Removing intermediate container [0-9a-f]+\s*\z)"_s);
    auto text = withoutColours(message);
    text.remove(removing);
    QRegularExpressionMatch last;
    if (const auto begin = text.lastIndexOf(running, -1, &last); begin >= 0)
        text = text.sliced(begin + last.capturedLength());
    return text.trimmed();
}

} // namespace

Error installFailure(const Error& error, Runtime runtime)
{
    if (error.kind == Kind::Cancelled || error.kind == Kind::Unreachable)
        return error;
    const auto output = stepOutput(error.message);
    if (auto reason = explainInstall(output, runtime)) {
        if (reason->kind == Kind::Limit)
            reason->message = u"no space left on the disk of Docker"_s;
        return *reason;
    }
    static const QRegularExpression code(uR"(returned a non-zero code: (\d+))"_s);
    const auto match = code.match(error.message);
    auto message = match.hasMatch() ? u"a step ended with exit code "_s + match.captured(1)
                                    : error.message.section(u'\n', 0, 0);
    if (!output.isEmpty() && output != message)
        message += u":\n"_s + output.right(maxShownOutput);
    return { Kind::Internal, message, error.httpStatus };
}

Task<QString> ensureCustom(JobPointer job, CustomImageSpec spec)
{
    const auto valid = check(spec);
    if (!valid)
        co_return std::unexpected(valid.error());
    const auto registry = job->settings.registries.value(spec.base);
    if (!registry.isEmpty() && registryFrom(registry.toUtf8()).isEmpty()) {
        co_return failure(Kind::Invalid,
            u"registries.%1: '%2' is not an http or https URL"_s.arg(
                runtimeName(spec.base), printable(registry)));
    }
    auto base = co_await findImage(job, baseImageTag(spec.base));
    if (base && !base->has_value()) {
        const auto made = co_await ensureRuntime(job, spec.base, Rebuild::IfChanged);
        if (!made)
            co_return std::unexpected(made.error());
        base = co_await findImage(job, baseImageTag(spec.base));
    }
    if (!base)
        co_return std::unexpected(base.error());
    if (!base->has_value())
        co_return failure(Kind::NotFound, u"there is no image %1"_s.arg(baseImageTag(spec.base)));

    const auto present = co_await findImage(job, spec.tag);
    if (!present)
        co_return std::unexpected(present.error());
    const auto hash = customrecipe::hash(spec, registry);
    if (present->has_value() && spec.rebuild == Rebuild::IfChanged) {
        const auto& image = **present;
        if (!isOurs(image, fullTag(spec.tag))) {
            co_return failure(Kind::Conflict,
                u"there is an image %1 that isol8 did not make; choose another tag, or replace "
                "it with --force"_s.arg(spec.tag));
        }
        if (image.labels.value(imagelabels::hash) == hash
            && image.labels.value(imagelabels::base) == (*base)->id) {
            job->tell(ImageEvent::Kind::Ready, spec.tag);
            co_return image.id;
        }
    }
    const auto bundle = readCaBundle(job->settings.caBundlePath);
    if (!bundle)
        co_return std::unexpected(bundle.error());

    job->tell(ImageEvent::Kind::Step, u"Building %1"_s.arg(spec.tag));
    auto packages = spec.packages;
    packages.sort();
    packages.removeDuplicates();
    BuildPlan plan;
    plan.buildId = newBuildId();
    plan.tag = spec.tag;
    plan.networkMode = u"host"_s;
    plan.labels = { { imagelabels::hash, hash }, { imagelabels::base, (*base)->id },
        { imagelabels::runtime, runtimeName(spec.base) }, { imagelabels::custom, u"true"_s },
        { imagelabels::dependencies, packages.join(u' ') },
        { imagelabels::setup, QString::fromLatin1(spec.setupScript.toUtf8().toBase64()) } };
    plan.context.files
        = { { u"Dockerfile"_s, customrecipe::dockerfile(spec, registry, plan.buildId) },
              { u"build/run"_s, customrecipe::runScript() },
              { u"build/install"_s, customrecipe::installScript(spec.base) },
              { u"build/setup"_s, spec.setupScript.toUtf8() }, { u"build/ca.crt"_s, *bundle } };
    const auto built = co_await build(job, plan);
    if (!built)
        co_return failedWithin(installFailure(built.error(), spec.base), u"building "_s + spec.tag);
    job->tell(ImageEvent::Kind::Ready, spec.tag);
    co_return *built;
}

} // namespace isol8::imagejob
