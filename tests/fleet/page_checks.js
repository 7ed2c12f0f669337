// What is wrong with the page that is shown: text too faint to read (WCAG 2.1, 1.4.3), controls without a name, too wide, inline script or style.
(() => {
    const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".unseen, [aria-hidden]");
    const name = (node) => (node.getAttribute("aria-label") || node.labels?.[0]?.innerText || node.innerText || node.title || "").trim();
    const light = (colour) => {
        const [r, g, b] = colour.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const layers = (node) => { const found = []; for (let at = node; at; at = at.parentElement) found.unshift(getComputedStyle(at).backgroundColor); return found; };
    const flat = (colours) => {
        paint.fillStyle = "#fff"; paint.fillRect(0, 0, 1, 1);
        for (const colour of colours) { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); }
        return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const faint = [...document.querySelectorAll("body *")].filter((node) => shown(node) && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())).filter((node) => {
        const back = layers(node), one = light(flat(back)), other = light(flat([...back, getComputedStyle(node).color]));
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 4.5;
    }).map((node) => `${node.tagName}.${node.className.baseVal ?? node.className}: ${node.textContent.slice(0, 30)}`);
    const nameless = [...document.querySelectorAll("button, a, input, select, dialog, [role=img], [role=log]")].filter((node) => shown(node) && !name(node)).map((node) => node.outerHTML.slice(0, 90));
    return { faint: faint.slice(0, 5), nameless, wide: document.documentElement.scrollWidth - innerWidth, headings: document.querySelectorAll("h1").length,
        inline: document.querySelectorAll("[onclick], script:not([src]), style").length };
})()
