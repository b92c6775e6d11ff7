// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/client.h"
#include "engine/docker/transport.h"

namespace isol8::docker {

struct Client::State {
    std::shared_ptr<Transport> transport;
};

/// A request whose answer @p parse understands.
template <typename T>
Task<T> ask(std::shared_ptr<Transport> transport, HttpRequest request,
    Result<T> (*parse)(const QByteArray&), CancelToken cancel)
{
    const auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return parse(answer->body);
}

/// A request whose answer has nothing in it.
[[nodiscard]] Task<> command(
    std::shared_ptr<Transport> transport, HttpRequest request, CancelToken cancel);

} // namespace isol8::docker
