// SPDX-License-Identifier: MIT
#include "engine/sandbox/resolvesource.h"

#include <QElapsedTimer>
#include <QTimer>

namespace isol8 {

using namespace Qt::StringLiterals;

namespace {

/// Whose fault it is that there is no code: the request's, or the other server's.
Error blamed(Error error)
{
    switch (error.kind) {
    case Kind::Cancelled:
        return error;
    case Kind::Unreachable:
    case Kind::Timeout:
    case Kind::Protocol:
        error.kind = Kind::Unreachable;
        break;
    default:
        error.kind = Kind::Invalid;
        break;
    }
    error.httpStatus = 0;
    return error.within(u"codeUrl"_s);
}

} // namespace

Task<> resolveSource(std::shared_ptr<RunContext> context)
{
    auto& request = context->request;
    if (request.codeUrl.isEmpty())
        co_return {};
    CodeSource source { request.codeUrl, request.codeHash, request.allowInsecureCodeUrl };
    source.mayBeCached = context->secrets.masked(request.codeUrl) == request.codeUrl;

    const CancelToken stop;
    const auto registration = context->steps.onCancel([stop] { stop.cancel(); });
    // Deleted later: the run may end within its signal.
    const std::unique_ptr<QTimer, QScopedPointerDeleteLater> timer(new QTimer);
    timer->setSingleShot(true);
    QObject::connect(timer.get(), &QTimer::timeout, timer.get(), [context, stop] {
        context->isDeadlinePassed = true;
        stop.cancel();
    });
    QElapsedTimer taken;
    taken.start();
    timer->start(context->timeLimit);
    auto code = co_await context->engine->sources.fetch(source, stop);
    timer->stop();
    if (!code)
        co_return std::unexpected(blamed(code.error()));
    request.code = std::move(*code);
    context->timeLimit = std::max(std::chrono::milliseconds(1),
        context->timeLimit
            - std::chrono::duration_cast<std::chrono::milliseconds>(taken.durationElapsed()));
    co_return {};
}

} // namespace isol8
