// SPDX-License-Identifier: MIT
#include "engine/images/installfailure.h"

#include "engine/core/escape.h"
#include "engine/core/names.h"

#include <QList>
#include <QRegularExpression>

#include <algorithm>

namespace isol8 {

using namespace Qt::StringLiterals;

namespace {

QString namedPackage(const QString& output)
{
    static const QList<QRegularExpression> patterns {
        QRegularExpression(uR"(No matching distribution found for (\S+))"_s),
        QRegularExpression(
            uR"('((?:@[\w.-]+/)?[\w.-]+)@[^']*' (?:is not in|could not be found))"_s),
        QRegularExpression(uR"(ETARGET.*for (\S+?)\.?\s)"_s),
        QRegularExpression(uR"(GET \S*/(\S+) - 404)"_s),
        QRegularExpression(uR"(No version matching .* for specifier .(\S+?).(?: |$))"_s),
        QRegularExpression(uR"(npm package '?([^'\s]+)'? does not exist)"_s),
        QRegularExpression(uR"((?:package|Module) not found[^\n]*?([\w@/.-]+))"_s),
        QRegularExpression(uR"(Unable to locate package (\S+))"_s),
    };
    for (const auto& pattern : patterns) {
        if (const auto match = pattern.match(output); match.hasMatch())
            return match.captured(1);
    }
    return {};
}

bool hasAny(const QString& text, std::initializer_list<QLatin1StringView> marks)
{
    return std::ranges::any_of(marks,
        [&text](QLatin1StringView mark) { return text.contains(mark, Qt::CaseInsensitive); });
}

} // namespace

std::optional<Error> explainInstall(const QString& output, Runtime runtime)
{
    if (hasAny(output, { "no space left on device"_L1, "ENOSPC"_L1 }))
        return Error { Kind::Limit, u"there is no space left"_s };
    if (hasAny(output,
            { "CERTIFICATE_VERIFY_FAILED"_L1, "unable to get local issuer"_L1,
                "SELF_SIGNED_CERT"_L1, "UnknownIssuer"_L1, "certificate verification failed"_L1,
                "unable to verify the first certificate"_L1 })) {
        return Error {
            Kind::Denied,
            u"the package index's TLS certificate is not trusted; set network.caBundle to the PEM file of your network's certificate authority"_s
        };
    }
    if (hasAny(output,
            { "Could not resolve"_L1, "Temporary failure"_L1, "ENOTFOUND"_L1, "EAI_AGAIN"_L1,
                "ECONNREFUSED"_L1, "ConnectionRefused"_L1, "Connection refused"_L1, "ETIMEDOUT"_L1,
                "NewConnectionError"_L1, "error sending request"_L1, "Connection timed out"_L1,
                "Tunnel connection failed: 5"_L1, "502 Bad Gateway"_L1, "504 Gateway"_L1 })) {
        return Error { Kind::Unreachable,
            u"the package index for %1 does not answer; set registries.%1 if yours is another"_s
                .arg(runtimeName(runtime)) };
    }
    if (const auto name = namedPackage(output); !name.isEmpty()) {
        return Error { Kind::NotFound,
            u"there is no package %1 for %2 (or not in that version)"_s.arg(
                printable(name), runtimeName(runtime)) };
    }
    return std::nullopt;
}

} // namespace isol8
