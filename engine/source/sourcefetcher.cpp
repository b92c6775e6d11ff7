// SPDX-License-Identifier: MIT
#include "engine/source/sourcefetcher.h"

#include "engine/core/background.h"
#include "engine/core/logging.h"
#include "engine/core/smallfile.h"
#include "engine/source/codecache.h"
#include "engine/source/pinnedget.h"

#include <QCryptographicHash>
#include <QThreadPool>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace isol8 {

namespace {

constexpr int maxRedirects = 5;
constexpr int maxLookups = 4;
constexpr qint64 maxBundleBytes = 8LL << 20;
constexpr auto diskPatience = 5s;
/// What one of several addresses may take to answer before the next one is tried.
constexpr auto connectPatience = 5s;

bool isRedirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::unexpected<Error> answered(int status)
{
    const bool isMissing = status == 404 || status == 410;
    return failure(isMissing                 ? Kind::NotFound
            : status == 401 || status == 403 ? Kind::Denied
                                             : Kind::Unreachable,
        u"the server answers HTTP %1"_s.arg(status), status);
}

} // namespace

struct SourceFetcher::State {
    SourcePolicy policy;
    std::shared_ptr<CodeCache> cache;
    Surroundings surroundings;
    std::shared_ptr<QThreadPool> threads = std::make_shared<QThreadPool>();
};

/// The coroutines behind fetch().
struct SourceFetcher::Steps {
    using Fetcher = std::shared_ptr<State>;

    struct Fetched {
        QStringList urls; ///< From the first to the one that gave the code.
        QByteArray code;
    };

    /// Every address is checked before any is connected to.
    static Task<QList<QHostAddress>> addressesOf(
        Fetcher fetcher, SourceRules rules, SourceTarget target, CancelToken cancel)
    {
        QList<QHostAddress> addresses { target.host.host.address };
        if (!target.host.host.isAddress()) {
            const auto found = co_await fetcher->surroundings.resolver->resolve(
                target.host.host.text, fetcher->policy.remoteCode.fetchTimeout, cancel);
            if (!found)
                co_return std::unexpected(found.error());
            addresses = *found;
        }
        for (const QHostAddress& address : addresses) {
            if (const auto checked = rules.checkAddress(target, address); !checked)
                co_return std::unexpected(checked.error());
        }
        co_return addresses;
    }

    static Task<PinnedAnswer> askAny(
        PinnedRequest request, QList<QHostAddress> addresses, CancelToken cancel)
    {
        Result<PinnedAnswer> answer = failure(Kind::Unreachable, u"the server has no address"_s);
        while (!addresses.isEmpty()) {
            request.address = addresses.takeFirst();
            request.connectTimeout = addresses.isEmpty() ? 0ms : connectPatience;
            answer = co_await pinnedGet(request, cancel);
            if (answer || answer.error().kind != Kind::Unreachable)
                break;
        }
        co_return answer;
    }

    static Task<Fetched> follow(Fetcher fetcher, SourceRules rules, CodeSource source,
        QByteArray bundle, CancelToken cancel)
    {
        Fetched fetched;
        QString url = source.url;
        for (int redirects = 0; redirects <= maxRedirects; ++redirects) {
            const auto target = rules.judge(url, source.isInsecureAllowed);
            if (!target)
                co_return std::unexpected(target.error());
            fetched.urls << url;
            const auto addresses = co_await addressesOf(fetcher, rules, *target, cancel);
            if (!addresses)
                co_return std::unexpected(addresses.error().within(shownUrl(target->url)));
            PinnedRequest request;
            request.target = *target;
            request.caBundle = bundle;
            request.maxBytes = fetcher->policy.remoteCode.maxCodeBytes;
            auto answer = co_await askAny(request, *addresses, cancel);
            if (!answer)
                co_return std::unexpected(answer.error().within(shownUrl(target->url)));
            if (answer->status == 200) {
                fetched.code = std::move(answer->body);
                co_return fetched;
            }
            if (!isRedirect(answer->status) || answer->location.isEmpty()) {
                const auto refused = answered(answer->status);
                co_return std::unexpected(refused.error().within(shownUrl(target->url)));
            }
            const QUrl next = target->url.resolved(QUrl::fromEncoded(answer->location));
            url = QString::fromLatin1(next.toEncoded());
        }
        co_return failure(Kind::Protocol,
            u"%1: more than %2 redirects"_s.arg(shownUrl(QUrl(source.url))).arg(maxRedirects));
    }

    /// What the cache has, if every URL that led to it may still be asked for.
    static Task<std::optional<QByteArray>> fromCache(
        Fetcher fetcher, SourceRules rules, CodeSource source, CancelToken cancel)
    {
        using Found = std::optional<CodeCache::Entry>;
        const auto find = [cache = fetcher->cache, url = source.url]() -> Result<Found> {
            return cache->find(url, QDateTime::currentDateTimeUtc());
        };
        const auto found
            = co_await inBackground<Found>(fetcher->threads, find, diskPatience, cancel);
        if (!found && found.error().kind == Kind::Cancelled)
            co_return std::unexpected(found.error());
        if (!found || !*found)
            co_return std::optional<QByteArray>();
        const auto& entry = **found;
        const bool isAllowed = std::ranges::all_of(entry.urls, [&](const QString& url) {
            return rules.judge(url, source.isInsecureAllowed).has_value();
        });
        const bool isSmall = entry.code.size() <= fetcher->policy.remoteCode.maxCodeBytes;
        co_return isAllowed&& isSmall ? std::optional(entry.code) : std::nullopt;
    }

    static Task<> intoCache(Fetcher fetcher, Fetched fetched, CancelToken cancel)
    {
        const auto store = [cache = fetcher->cache, fetched] {
            return cache->store({ fetched.urls, fetched.code }, QDateTime::currentDateTimeUtc());
        };
        co_return co_await inBackground<void>(fetcher->threads, store, diskPatience, cancel);
    }

    static Result<> checkHash(const QByteArray& code, const CodeSource& source)
    {
        const QString hash = QString::fromLatin1(
            QCryptographicHash::hash(code, QCryptographicHash::Sha256).toHex());
        if (source.hash.isEmpty() || source.hash.toLower() == hash)
            return {};
        return failure(Kind::Denied,
            u"%1 is not the code that was asked for: its SHA-256 is %2"_s.arg(
                shownUrl(QUrl(source.url)), hash));
    }

    static Result<> checkPolicy(const SourcePolicy& policy, const CodeSource& source)
    {
        if (!policy.remoteCode.enabled)
            return failure(Kind::Denied,
                u"code from URLs is off; remoteCode.enabled in the configuration allows it"_s);
        if (policy.remoteCode.requireHash && source.hash.isEmpty())
            return failure(Kind::Denied,
                u"code from URLs needs its SHA-256 (--hash, codeHash), as remoteCode.requireHash says"_s);
        return {};
    }

    static Task<QByteArray> fetchInTime(Fetcher fetcher, CodeSource source, CancelToken cancel)
    {
        if (const auto allowed = checkPolicy(fetcher->policy, source); !allowed)
            co_return std::unexpected(allowed.error());
        auto rules = SourceRules::create(fetcher->policy, fetcher->surroundings.localAddresses);
        if (!rules)
            co_return std::unexpected(rules.error());
        if (const auto first = rules->judge(source.url, source.isInsecureAllowed); !first)
            co_return std::unexpected(first.error());
        const bool isCached = fetcher->policy.remoteCode.enableCache && source.mayBeCached;
        if (isCached) {
            const auto known = co_await fromCache(fetcher, *rules, source, cancel);
            if (!known)
                co_return std::unexpected(known.error());
            // With another hash than asked for it may have changed since.
            if (*known && checkHash(**known, source))
                co_return **known;
        }
        QByteArray bundle;
        if (!fetcher->policy.caBundlePath.isEmpty()) {
            auto read = readSmallFile(fetcher->policy.caBundlePath, maxBundleBytes);
            if (!read)
                co_return std::unexpected(read.error().within(u"network.caBundle"_s));
            bundle = std::move(*read);
        }
        auto fetched = co_await follow(fetcher, *rules, source, bundle, cancel);
        if (!fetched)
            co_return std::unexpected(fetched.error());
        if (const auto checked = checkHash(fetched->code, source); !checked)
            co_return std::unexpected(checked.error());
        if (isCached) {
            const auto stored = co_await intoCache(fetcher, *fetched, cancel);
            if (!stored && stored.error().kind != Kind::Cancelled)
                qCInfo(logSource).noquote()
                    << "fetched code is not kept:" << stored.error().message;
        }
        // Empty code is code: a null array would be none.
        co_return fetched->code.isNull() ? QByteArray("") : fetched->code;
    }

    static Task<QByteArray> fetch(Fetcher fetcher, CodeSource source, CancelToken cancel)
    {
        const CancelToken stop;
        const auto isLate = std::make_shared<bool>(false);
        const std::unique_ptr<QTimer, QScopedPointerDeleteLater> timer(new QTimer);
        timer->setSingleShot(true);
        QObject::connect(timer.get(), &QTimer::timeout, timer.get(), [stop, isLate] {
            *isLate = true;
            stop.cancel();
        });
        const auto registration = cancel.onCancel([stop] { stop.cancel(); });
        const auto limit = fetcher->policy.remoteCode.fetchTimeout;
        timer->start(limit);
        auto code = co_await fetchInTime(fetcher, source, stop);
        timer->stop();
        if (!code && *isLate)
            co_return failure(Kind::Timeout,
                u"%1 did not come within %2 ms (remoteCode.fetchTimeoutMs)"_s
                    .arg(shownUrl(QUrl(source.url)))
                    .arg(limit.count()));
        co_return code;
    }
};

SourceFetcher::SourceFetcher(
    const SourcePolicy& policy, const QString& cacheDirectory, Surroundings surroundings)
    : m_state(std::make_shared<State>())
{
    m_state->policy = policy;
    m_state->cache = std::make_shared<CodeCache>(
        cacheDirectory, CodeCache::Limits { .lifetime = policy.remoteCode.cacheLifetime });
    m_state->surroundings = std::move(surroundings);
    if (!m_state->surroundings.resolver)
        m_state->surroundings.resolver = std::make_shared<proxy::SystemResolver>(maxLookups);
}

SourceFetcher::~SourceFetcher() = default;

Task<QByteArray> SourceFetcher::fetch(CodeSource source, CancelToken cancel)
{
    return Steps::fetch(m_state, std::move(source), std::move(cancel));
}

} // namespace isol8
