// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/endpoint.h"
#include "engine/sandbox/directsocket.h"

#include <QStringList>

namespace isol8 {

/// Whether the guests of one engine are offered direct sockets, and where these are. Shared by all
/// that make sandboxes. Once something has shown that they cannot be used here, none are made any
/// more: the attached stream does the same, only slower.
class DirectAccess {
public:
    /// Only with a daemon on this machine.
    explicit DirectAccess(const docker::Endpoint& endpoint);

    /// Null: go without.
    [[nodiscard]] std::unique_ptr<DirectSocket> makeSocket(bool isLasting);
    /// In the folder @p name of a sandbox that was made before, by whatever process of this user.
    /// Null: go without.
    [[nodiscard]] std::unique_ptr<DirectSocket> reopenSocket(const QString& name);
    /// The lasting ones, whoever uses them.
    [[nodiscard]] QStringList lastingFolders();
    /// Of a sandbox that is gone; not while somebody uses it.
    void removeFolder(const QString& name);
    /// Logged, and remembered.
    void giveUp(const QString& why);
    [[nodiscard]] bool isUsable() const { return m_isUsable; }

private:
    [[nodiscard]] bool findBase();

    bool m_isUsable;
    QString m_base; ///< A folder of this user's alone; empty: not looked for yet.
};

} // namespace isol8
