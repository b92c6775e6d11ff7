// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>

#include <array>
#include <vector>

namespace isol8 {

/// Finds any of many byte strings in a stream, one step a byte (Aho and Corasick, 1975). The trie's
/// nodes keep their children in lists; the root and its children, where nearly all time goes, have
/// a row of next states as well. Immutable once built.
class MaskAutomaton {
public:
    using State = qint32;
    static constexpr State root = 0;

    /// @p patterns are not empty; duplicates do no harm.
    explicit MaskAutomaton(const QList<QByteArray>& patterns);

    [[nodiscard]] State next(State state, quint8 byte) const
    {
        for (;;) {
            const Node& node = m_nodes[size_t(state)];
            if (node.row >= 0)
                return m_rows[size_t(node.row)][byte];
            if (const State child = childOf(node, byte); child != root)
                return child;
            state = node.fallback;
        }
    }
    /// Length of the longest pattern that ends here; 0: none.
    [[nodiscard]] qint32 matchLength(State state) const { return m_nodes[size_t(state)].match; }
    /// How many of the last bytes are the beginning of a pattern that is not complete yet.
    [[nodiscard]] qint32 openLength(State state) const { return m_nodes[size_t(state)].open; }

private:
    struct Node {
        State firstChild = root;
        State nextSibling = root;
        State fallback = root; ///< Of the longest proper suffix that is in the trie.
        qint32 depth = 0;
        qint32 match = 0;
        qint32 open = 0;
        qint16 row = -1;
        quint8 byte = 0;
    };
    using Row = std::array<State, 256>;

    [[nodiscard]] State childOf(const Node& node, quint8 byte) const
    {
        State child = node.firstChild;
        while (child != root && m_nodes[size_t(child)].byte != byte)
            child = m_nodes[size_t(child)].nextSibling;
        return child;
    }
    void insert(const QByteArray& pattern);
    void link();

    std::vector<Node> m_nodes;
    std::vector<Row> m_rows;
};

} // namespace isol8
