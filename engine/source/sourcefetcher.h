// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/proxy/resolver.h"
#include "engine/source/sourcerules.h"

namespace isol8 {

/// What one execution asks for.
struct CodeSource {
    QString url;
    QString hash; ///< Required SHA-256, hexadecimal in either case; empty: any.
    bool isInsecureAllowed = false; ///< `http:` too.
    bool mayBeCached = true; ///< False when the URL holds a secret.
};

/// Fetches code from URLs as the configuration allows. Owned by the engine.
class SourceFetcher {
public:
    /// The parts that tests replace.
    struct Surroundings {
        std::shared_ptr<proxy::Resolver> resolver; ///< Null: this machine's.
        proxy::AddressPolicy::LocalAddresses localAddresses; ///< Empty: of its interfaces.
    };

    /// Code is kept below @p cacheDirectory.
    SourceFetcher(
        const SourcePolicy& policy, const QString& cacheDirectory, Surroundings surroundings = {});
    ~SourceFetcher();
    Q_DISABLE_COPY_MOVE(SourceFetcher)

    /// The bytes that @p source names. Beside the kinds of SourceRules and pinnedGet(): Denied when
    /// their hash is another one, NotFound, Timeout after remoteCode.fetchTimeoutMs.
    [[nodiscard]] Task<QByteArray> fetch(CodeSource source, CancelToken cancel);

private:
    struct State;
    struct Steps;
    std::shared_ptr<State> m_state;
};

} // namespace isol8
