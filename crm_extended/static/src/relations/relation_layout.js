/**
 * Where the cards of a graph of relations stand: the client in the middle, those next to it on
 * both sides, and beyond each of them those who are related to it. What has nobody beyond it
 * stands in a grid, so that a hundred cards fit on a screen.
 */

export const CARD = { width: 196, height: 58, gapX: 72, gapY: 12, rows: 10 };
// from here on the leaves stand in squares rather than in columns
const MANY = 40;

/** Who hangs on whom: each node on the first node of the step before that it is related to. */
function getTree(nodes, edges) {
    const depths = new Map(nodes.map((node) => [node.id, node.depth]));
    const parents = new Map();
    for (const edge of edges) {
        for (const [here, there] of [
            [edge.from, edge.to],
            [edge.to, edge.from],
        ]) {
            if (!parents.has(here) && depths.get(there) === depths.get(here) - 1) {
                parents.set(here, { id: there, edge });
            }
        }
    }
    const children = new Map(nodes.map((node) => [node.id, []]));
    for (const node of nodes) {
        if (parents.has(node.id)) {
            children.get(parents.get(node.id).id).push(node);
        }
    }
    return { parents, children };
}

/** Cards of one column, with those beyond them; `sign` is -1 to the left, 1 to the right. */
class Column {
    constructor(children, places, sign) {
        this.isCrowded = children.size > MANY;
        this.children = children;
        this.places = places;
        this.sign = sign;
    }

    /** Place nodes and all beyond them from `top` downwards; returns the bottom. */
    place(nodes, column, top) {
        const branches = nodes.filter((node) => this.children.get(node.id).length);
        const leaves = nodes.filter((node) => !this.children.get(node.id).length);
        let y = top;
        for (const node of branches) {
            const bottom = Math.max(
                this.place(this.children.get(node.id), column + 1, y),
                y + CARD.height + CARD.gapY
            );
            this.put(node, column, 0, (y + bottom - CARD.gapY - CARD.height) / 2);
            y = bottom;
        }
        const square = Math.ceil(Math.sqrt(leaves.length));
        const rows = Math.min(leaves.length, this.isCrowded ? square : Math.max(CARD.rows, square));
        leaves.forEach((node, index) => {
            const cell = Math.floor(index / rows);
            this.put(node, column, cell, y + (index % rows) * (CARD.height + CARD.gapY));
        });
        return y + rows * (CARD.height + CARD.gapY);
    }

    put(node, column, cell, y) {
        const x = column * (CARD.width + CARD.gapX) + cell * (CARD.width + CARD.gapY);
        this.places.set(node.id, { x: this.sign * x, y, sign: this.sign });
    }
}

function countLeaves(node, children) {
    const below = children.get(node.id);
    return below.length ? below.reduce((sum, child) => sum + countLeaves(child, children), 0) : 1;
}

function getPath(from, to, isTree) {
    if (isTree) {
        const start = from.x + (to.sign > 0 ? CARD.width : 0);
        const end = to.x + (to.sign > 0 ? 0 : CARD.width);
        const bend = start + (to.sign * CARD.gapX) / 2;
        const [y1, y2] = [from.y + CARD.height / 2, to.y + CARD.height / 2];
        return `M ${start} ${y1} C ${bend} ${y1} ${bend} ${y2} ${bend + to.sign * 12} ${y2} L ${end} ${y2}`;
    }
    const middle = (place) => [place.x + CARD.width / 2, place.y + CARD.height / 2];
    const [[x1, y1], [x2, y2]] = [middle(from), middle(to)];
    // past the cards in between: around them in a column, in an arc from side to side
    const bow = x1 === x2 ? CARD.width / 2 + 24 : 0;
    const arc = bow ? 0 : Math.min(160, 30 + Math.abs(x2 - x1) / 12);
    return `M ${x1} ${y1} C ${x1 + bow} ${y1 + arc} ${x2 + bow} ${y2 + arc} ${x2} ${y2}`;
}

/**
 * @param {object[]} nodes with id, depth and name; one of depth 0
 * @param {object[]} edges with from and to
 * @returns {{width: number, height: number, places: Map, lines: object[], parents: Map}} places
 *     have x and y of the upper left corner; lines have a path, their edge and `isTree`
 */
export function layoutRelations(nodes, edges) {
    const places = new Map();
    const root = nodes.find((node) => node.depth === 0);
    if (!root) {
        return { width: 0, height: 0, places, lines: [], parents: new Map() };
    }
    const { parents, children } = getTree(nodes, edges);
    const sides = { "-1": [], 1: [] };
    const sizes = { "-1": 0, 1: 0 };
    const weighed = children
        .get(root.id)
        .map((node) => [node, countLeaves(node, children)])
        .sort((a, b) => b[1] - a[1] || a[0].name.localeCompare(b[0].name));
    for (const [node, size] of weighed) {
        const sign = sizes[-1] < sizes[1] ? -1 : 1;
        sides[sign].push(node);
        sizes[sign] += size;
    }
    const bottoms = {};
    for (const sign of [-1, 1]) {
        bottoms[sign] = new Column(children, places, sign).place(sides[sign], 1, 0) - CARD.gapY;
    }
    const height = Math.max(bottoms[-1], bottoms[1], CARD.height);
    for (const place of places.values()) {
        place.y += (height - Math.max(bottoms[place.sign], 0)) / 2;
    }
    places.set(root.id, { x: 0, y: (height - CARD.height) / 2, sign: 1 });
    const left = Math.min(...[...places.values()].map((place) => place.x));
    const right = Math.max(...[...places.values()].map((place) => place.x)) + CARD.width;
    for (const place of places.values()) {
        place.x -= left;
    }
    const lines = [];
    for (const edge of edges) {
        const [from, to] = [places.get(edge.from), places.get(edge.to)];
        if (!from || !to) {
            continue;
        }
        let path;
        const isTree = [edge.from, edge.to].some((id) => parents.get(id)?.edge === edge);
        if (isTree) {
            const child = parents.get(edge.from)?.edge === edge ? edge.from : edge.to;
            path = getPath(places.get(parents.get(child).id), places.get(child), true);
        } else {
            path = getPath(from, to, false);
        }
        lines.push({ edge, path, isTree });
    }
    // lines beside the tree lie on top
    lines.sort((a, b) => b.isTree - a.isTree);
    // room for the arcs below
    const deepest = lines.some((line) => !line.isTree) ? 48 : 12;
    return { width: right - left, height: height + deepest, places, lines, parents };
}
