// SPDX-License-Identifier: MIT
#include "engine/images/recipe.h"

#include "engine/core/names.h"

#include <QDir>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

const QList<Runtime> runtimes { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno,
    Runtime::Bash };

CustomImageSpec someSpec()
{
    return { u"my-image"_s, Runtime::Python, { u"numpy"_s, u"pandas==2"_s }, u"echo hello"_s };
}

} // namespace

class TestRecipe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void givesEveryRuntimeItsOwnHash()
    {
        QSet<QString> hashes { baserecipe::hash() };
        for (const auto runtime : runtimes)
            hashes << recipeOf(runtime, Architecture::Amd64).hash();
        QCOMPARE(hashes.size(), runtimes.size() + 1);
        for (const auto& hash : std::as_const(hashes))
            QCOMPARE(hash.size(), 64);
    }

    void keepsTheHashOfTheSameRecipe()
    {
        for (const auto runtime : runtimes) {
            QCOMPARE(recipeOf(runtime, Architecture::Amd64).hash(),
                recipeOf(runtime, Architecture::Amd64).hash());
        }
        QCOMPARE(baserecipe::hash(), baserecipe::hash());
    }

    void changesTheHashWithEachPartOfTheRecipe()
    {
        const auto recipe = recipeOf(Runtime::Node, Architecture::Amd64);
        QSet<QString> hashes { recipe.hash(), recipeOf(Runtime::Node, Architecture::Arm64).hash() };
        const auto add = [&](auto change) {
            auto changed = recipe;
            change(changed);
            hashes << changed.hash();
        };
        add([](auto& r) { r.artifacts[0].version += u'1'; });
        add([](auto& r) { r.artifacts[0].integrity += u'1'; });
        add([](auto& r) { r.artifacts[0].package += u'1'; });
        add([](auto& r) { r.artifacts[0].from += u'1'; });
        add([](auto& r) { r.artifacts[0].to += u'1'; });
        add([](auto& r) { r.artifacts[0].left << u"include"_s; });
        add([](auto& r) { r.artifacts.removeLast(); });
        add([](auto& r) { r.links[0].target += u'1'; });
        add([](auto& r) { r.links[0].path += u'1'; });
        add([](auto& r) { r.links.removeLast(); });
        add([](auto& r) { r.environment << u"A=1"_s; });
        add([](auto& r) { r.runtime = Runtime::Bun; });
        QCOMPARE(hashes.size(), 14);

        // What the user is told changes nothing in the image.
        auto renamed = recipe;
        renamed.artifacts[0].title = u"Other"_s;
        QCOMPARE(renamed.hash(), recipe.hash());
    }

    void pinsEveryDownload()
    {
        static const QRegularExpression integrity(uR"(\Asha512-[A-Za-z0-9+/]{86}==\z)"_s);
        static const QRegularExpression version(uR"(\A\d+\.\d+\.\d+\z)"_s);
        QSet<QString> sums;
        int count = 0;
        for (const auto architecture : { Architecture::Amd64, Architecture::Arm64 }) {
            for (const auto runtime : runtimes) {
                for (const auto& artifact : recipeOf(runtime, architecture).artifacts) {
                    QVERIFY(integrity.match(artifact.integrity).hasMatch());
                    QVERIFY(version.match(artifact.version).hasMatch());
                    sums << artifact.integrity;
                    ++count;
                }
            }
        }
        QCOMPARE(count, 8);
        QCOMPARE(sums.size(), 7); // npm is the same for both
    }

    void agentIsPinnedInFull()
    {
        static const QRegularExpression integrity(uR"(\Asha512-[A-Za-z0-9+/]{86}==\z)"_s);
        const auto recipe = recipeOf(Runtime::Agent, Architecture::Amd64);
        const auto node = recipeOf(Runtime::Node, Architecture::Amd64);
        QCOMPARE(recipe.runtime, Runtime::Agent);
        QVERIFY(recipe.artifacts.size() > node.artifacts.size() + 100);
        QSet<QString> places;
        int titles = 0;
        for (const auto& artifact : recipe.artifacts) {
            QVERIFY2(integrity.match(artifact.integrity).hasMatch(), qPrintable(artifact.package));
            QVERIFY2(!artifact.to.contains(u".."_s), qPrintable(artifact.to));
            places << artifact.to;
            titles += artifact.title.isEmpty() ? 0 : 1;
        }
        QCOMPARE(places.size(), recipe.artifacts.size());
        QCOMPARE(titles, node.artifacts.size() + 1);
        // The link leads to one of them.
        const auto link = recipe.links.constLast();
        QCOMPARE(link.path, u"usr/local/bin/pi"_s);
        const auto target = QDir::cleanPath(u"usr/local/bin/"_s + link.target);
        QVERIFY(std::ranges::any_of(
            places, [&target](const QString& place) { return target.startsWith(place + u'/'); }));
    }

    void namesTheFileOfAScopedPackage()
    {
        const Artifact artifact { {}, u"@oven/bun-linux-x64"_s, u"1.2.3"_s, {}, {}, {}, {} };
        const auto expected = u"https://host/path/@oven/bun-linux-x64/-/bun-linux-x64-1.2.3.tgz"_s;
        QCOMPARE(artifact.url(u"https://host/path/"_s), expected);
        QCOMPARE(artifact.url(u"https://host/path"_s), expected);
    }

    void hashesCustomImagesByTheirContent()
    {
        const auto spec = someSpec();
        const auto hash = customrecipe::hash(spec, {});
        QSet<QString> hashes { hash, customrecipe::hash(spec, u"https://host/simple"_s) };
        const auto add = [&](auto change) {
            auto changed = spec;
            change(changed);
            hashes << customrecipe::hash(changed, {});
        };
        add([](auto& s) { s.packages << u"scipy"_s; });
        add([](auto& s) { s.packages.removeLast(); });
        add([](auto& s) { s.packages = { u"numpypandas==2"_s }; });
        add([](auto& s) { s.setupScript += u' '; });
        add([](auto& s) { s.setupScript.clear(); });
        add([](auto& s) { s.base = Runtime::Bash; });
        QCOMPARE(hashes.size(), 8);

        auto same = spec;
        same.packages = { u"pandas==2"_s, u"numpy"_s, u"numpy"_s };
        same.tag = u"other"_s;
        same.rebuild = Rebuild::Always;
        QCOMPARE(customrecipe::hash(same, {}), hash);
    }

    void keepsTheScriptOutOfTheDockerfile()
    {
        auto spec = someSpec();
        spec.setupScript = u"true\nUSER root\nRUN <<EOF\n'\"$(id)\nEOF\n"_s;
        const auto text = customrecipe::dockerfile(spec, {}, u"id"_s);
        QVERIFY(!text.contains("USER"));
        QVERIFY(!text.contains("EOF"));
        QCOMPARE(text.count("RUN "), 1);
    }

    void passesPackagesAsArgumentsOnOneLine()
    {
        auto spec = someSpec();
        spec.packages = { u"b"_s, u"a\"\nUSER 0"_s, u"b"_s }; // as if no check had been made
        const auto text = customrecipe::dockerfile(spec, {}, u"id"_s);
        QVERIFY(text.contains("\"--\",\"a\\\"\\nUSER 0\",\"b\"]"));
        QVERIFY(!text.contains("\nUSER"));
    }

    void marksUnfinishedImagesFirst()
    {
        const auto second = [](const QByteArray& text) { return text.split('\n').value(1); };
        const QByteArray expected("LABEL isol8.managed=true isol8.build=\"some-id\"");
        QCOMPARE(second(customrecipe::dockerfile(someSpec(), {}, u"some-id"_s)), expected);
        QCOMPARE(second(recipeOf(Runtime::Node, Architecture::Amd64).dockerfile(u"some-id"_s)),
            expected);
        QCOMPARE(second(baserecipe::registryDockerfile(u"some-id"_s)), expected);
    }

    void trustsAPlainIndexByItsHostOnly()
    {
        const auto plain
            = customrecipe::environment(Runtime::Python, u"http://index.example:81/simple"_s);
        QVERIFY(plain.contains(u"PIP_INDEX_URL=http://index.example:81/simple"_s));
        QVERIFY(plain.contains(u"PIP_TRUSTED_HOST=index.example"_s));
        const auto secure
            = customrecipe::environment(Runtime::Python, u"https://index.example/simple"_s);
        QVERIFY(secure.filter(u"PIP_TRUSTED_HOST"_s).isEmpty());
        for (const auto runtime : runtimes) {
            const auto none = customrecipe::environment(runtime, {});
            QVERIFY(none.filter(u"INDEX"_s).isEmpty());
            QVERIFY(none.filter(u"REGISTRY"_s).isEmpty());
            QVERIFY(none.filter(u"MIRROR"_s).isEmpty());
            QVERIFY(!none.filter(u"bundle.crt"_s).isEmpty());
        }
    }
};

QTEST_GUILESS_MAIN(TestRecipe)
#include "tst_recipe.moc"
