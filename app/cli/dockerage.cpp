// SPDX-License-Identifier: MIT
#include "app/cli/dockerage.h"

#include <QVersionNumber>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

const QVersionNumber oldestMaintainedEngine(23, 0);

/// GHSA-xr7r-f8xq-vfvv.
bool leaksDescriptors(const QVersionNumber& runc)
{
    return runc < QVersionNumber(1, 1, 12);
}

/// GHSA-9493-h29p-rfm2, GHSA-qw9x-cqr3-wc7r, GHSA-cgrx-mc8f-2prm: mended in 1.2.8 and 1.3.3.
bool followsMaskedPaths(const QVersionNumber& runc)
{
    return runc < QVersionNumber(1, 2, 8)
        || (runc >= QVersionNumber(1, 3, 0) && runc < QVersionNumber(1, 3, 3));
}

} // namespace

QStringList dockerAgeWarnings(const docker::ServerVersion& version)
{
    QStringList warnings;
    const auto engine = QVersionNumber::fromString(version.version);
    if (!engine.isNull() && engine < oldestMaintainedEngine)
        warnings << u"Docker %1 gets no security fixes any more; update it"_s.arg(version.version);
    const auto runc = QVersionNumber::fromString(version.runcVersion);
    if (runc.isNull())
        return warnings;
    if (leaksDescriptors(runc))
        warnings << u"runc %1 lets containers escape (CVE-2024-21626); update to 1.1.12 or newer"_s
                        .arg(version.runcVersion);
    if (followsMaskedPaths(runc))
        warnings
            << u"runc %1 lets containers escape (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881); "
               "update to 1.2.8, 1.3.3 or newer"_s.arg(version.runcVersion);
    return warnings;
}

} // namespace isol8::cli
