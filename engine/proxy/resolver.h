// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QHostAddress>

#include <functional>
#include <memory>

namespace isol8::proxy {

/// Turns names into addresses. The seam that tests replace.
class Resolver {
public:
    virtual ~Resolver() = default;

    /// Every address of @p name, a canonical DNS name, at least one. Kind::NotFound, Timeout or
    /// Cancelled.
    [[nodiscard]] virtual Task<QList<QHostAddress>> resolve(
        QString name, std::chrono::milliseconds timeout, CancelToken cancel)
        = 0;
};

/// Asks this machine's resolver. Names are absolute, so that the machine's search domains cannot
/// turn one host into another; /etc/hosts counts. A lookup cannot be stopped, so that those given
/// up on go on to count: programs cannot use up the threads that everybody's lookups share.
class SystemResolver final : public Resolver {
public:
    using Answer = std::function<void(const Result<QList<QHostAddress>>&)>;
    /// Looks an absolute name up and answers later, from the event loop.
    using Lookup = std::function<void(const QString& name, Answer answer)>;

    /// More than @p maxLookups at a time wait. @p hostsFile and @p lookup are there for tests.
    explicit SystemResolver(
        int maxLookups, QString hostsFile = QStringLiteral("/etc/hosts"), Lookup lookup = {});

    [[nodiscard]] Task<QList<QHostAddress>> resolve(
        QString name, std::chrono::milliseconds timeout, CancelToken cancel) override;

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace isol8::proxy
