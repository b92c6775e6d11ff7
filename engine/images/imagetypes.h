// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QDateTime>
#include <QMap>
#include <QString>
#include <QStringList>

#include <functional>

namespace isol8 {

/// Something that a user who waits for an image wants to know.
struct ImageEvent {
    enum class Kind {
        Step, ///< A new step begins; text names it.
        Progress, ///< Of the step that began last; the numbers count when totalBytes is not 0.
        Info,
        Warning,
        Ready, ///< The image of that name is there, or was already.
    };
    Kind kind = Kind::Info;
    QString text; ///< One line, may hold text of a package manager: show it with printable().
    qint64 currentBytes = 0;
    qint64 totalBytes = 0;

    bool operator==(const ImageEvent&) const = default;
};

/// Called on the event loop, possibly before the call that it was given to returns.
using ImageEventHandler = std::function<void(const ImageEvent&)>;

struct ImageSettings {
    enum class Source {
        Auto, ///< The registry; Debian's mirror when that does not answer.
        Registry, ///< Debian's official image from Docker's registry.
        Debian, ///< A root file system made with mmdebstrap from a Debian mirror.
    };
    Source source = Source::Auto;
    QString
        caBundlePath; ///< PEM file for downloads and package managers; empty: this machine's own.
    QMap<Runtime, QString> registries; ///< Index URL per package manager; missing: its own default.
    QString debianMirror; ///< Empty: the one that this machine's apt uses, else the public one.
    QString npmRegistry; ///< Empty: the one that this machine's npm uses, else the public one.
    QString
        stateDirectory; ///< For the lock that lets one isol8 build at a time; empty: `~/.isol8`.
    QString
        workDirectory; ///< For downloads and the root file system; empty: $TMPDIR, else `/var/tmp`.
};

enum class Rebuild { IfChanged, Always };

/// What `build` makes.
struct CustomImageSpec {
    QString tag;
    Runtime base = Runtime::Python;
    QStringList packages;
    QString setupScript; ///< Bash, run as root while the image is built; empty: none.
    Rebuild rebuild = Rebuild::IfChanged;
};

/// One image made by `build` or `setup`.
struct CustomImage {
    QString tag;
    QString id;
    Runtime runtime = Runtime::Python;
    QStringList packages;
    QString setupScript;
    QDateTime created;
    qint64 sizeBytes = 0;
};

} // namespace isol8
