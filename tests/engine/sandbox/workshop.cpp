// SPDX-License-Identifier: MIT
#include "tests/engine/sandbox/workshop.h"

namespace isol8::test {

using namespace Qt::StringLiterals;

namespace {

Task<SandboxPointer> make(WorkshopPointer shop, CancelToken cancel)
{
    if (shop->makingFails)
        co_return std::unexpected(*shop->makingFails);
    if (!shop->isMakingHeld)
        co_return shop->produce();
    const Completion<SandboxPointer> made;
    shop->making << made;
    const auto registration = cancel.onCancel([made] { made.fail(cancelled()); });
    co_return co_await made.wait();
}

Task<> scrub(WorkshopPointer shop, SandboxPointer sandbox, CancelToken cancel)
{
    if (shop->isCleaningHeld) {
        const Completion<> done;
        shop->cleaning << Workshop::Job { sandbox, done };
        const auto registration = cancel.onCancel([done] { done.fail(cancelled()); });
        const auto result = co_await done.wait();
        if (!result)
            co_return result;
    }
    if (shop->cleaningFails)
        co_return std::unexpected(*shop->cleaningFails);
    shop->cleaned << sandbox->containerId();
    co_return {};
}

Task<qint64> prestart(WorkshopPointer shop, SandboxPointer sandbox)
{
    if (shop->isPrestartHeld) {
        const Completion<> done;
        shop->prestarting << done;
        (void)co_await done.wait();
    }
    shop->prestarted << sandbox->containerId();
    co_return shop->memoryBytes;
}

Task<> check(WorkshopPointer shop, SandboxPointer sandbox)
{
    shop->checked << sandbox->containerId();
    if (shop->silent.contains(sandbox->containerId()))
        co_return failure(Kind::Timeout, u"silent"_s);
    co_return {};
}

Task<> destroy(WorkshopPointer shop, SandboxPointer sandbox)
{
    shop->destroyed << sandbox->containerId();
    if (shop->isDestroyingHeld) {
        const Completion<> done;
        shop->destroying << done;
        co_return co_await done.wait();
    }
    co_return {};
}

} // namespace

Pool::Actions actionsOf(const WorkshopPointer& shop)
{
    return {
        .make = [shop](docker::ContainerSpec, CancelToken cancel) { return make(shop, cancel); },
        .scrub = [shop](SandboxPointer sandbox,
                     CancelToken cancel) { return scrub(shop, sandbox, cancel); },
        .prestart
        = [shop](SandboxPointer sandbox, Ahead, CancelToken) { return prestart(shop, sandbox); },
        .isAlive =
            [shop](const SandboxPointer& sandbox) {
                return !shop->dead.contains(sandbox->containerId());
            },
        .check = [shop](SandboxPointer sandbox, CancelToken) { return check(shop, sandbox); },
        .destroy = [shop](SandboxPointer sandbox) { return destroy(shop, sandbox); },
        .idOf = [](const SandboxPointer& sandbox) { return sandbox->containerId(); },
    };
}

Pool::Wish wish(const QString& tenant, qint64 memory)
{
    docker::ContainerSpec spec;
    spec.memoryBytes = memory;
    return { spec, tenant, Ahead {} };
}

Task<> ask(std::shared_ptr<Client> client, Pool* pool, Pool::Wish wish)
{
    auto taken = co_await pool->take(wish, client->cancel);
    client->answer = taken;
    co_return {};
}

std::shared_ptr<Client> take(Pool& pool, const Pool::Wish& wish)
{
    auto client = std::make_shared<Client>();
    (void)ask(client, &pool, wish);
    return client;
}

void giveBack(Pool& pool, const std::shared_ptr<Client>& client, bool isBroken)
{
    pool.giveBack((**client->answer).item, isBroken);
}

} // namespace isol8::test
