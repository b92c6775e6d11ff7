// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/endpoint.h"
#include "engine/sandbox/directsocket.h"

namespace isol8 {

/// Whether the guests of one engine are offered direct sockets, and where these are. Shared by all
/// that make sandboxes. Once something has shown that they cannot be used here, none are made any
/// more: the attached stream does the same, only slower.
class DirectAccess {
public:
    /// Only with a daemon on this machine.
    explicit DirectAccess(const docker::Endpoint& endpoint);

    /// Null: go without.
    [[nodiscard]] std::unique_ptr<DirectSocket> makeSocket();
    /// Logged, and remembered.
    void giveUp(const QString& why);
    [[nodiscard]] bool isUsable() const { return m_isUsable; }

private:
    bool m_isUsable;
    QString m_base; ///< A folder of this user's alone; empty: not looked for yet.
};

/// Removes what dead processes have left in @p base: sockets' folders that nobody has locked.
void removeStaleSockets(const QString& base);

} // namespace isol8
