/** What the `setup` of a new plugin registers: each thing once. */

/** `my-plugin` → `My plugin`. */
export function title(id: string): string {
  const words = id.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The body of `setup`. */
export function registrations(id: string): string {
  return `    const greet = (name: string) => ({ text: \`\${ctx.config.greeting}, \${name}!\` });

${doors(id)}
${page(id)}
    // Begins once this instance is live, and ends with it.
    ctx.every(ctx.config.everyMs, () => {
      for (const socket of sockets) socket.send(greet("everyone"));
    });

    ctx.health("sockets", () => ({ ok: true, open: sockets.size }));
`;
}

/** What others call. */
function doors(id: string): string {
  return `    ctx.route({
      method: "GET",
      path: "/api/${id}",
      access: "read",
      about: "Greets by name.",
      query: Type.Object({ name: Name }),
      reply: Greeting,
      handler: ({ query }) => greet(query.name),
    });

    const sockets = new Set<Socket<{ name: string }, { text: string }>>();
    ctx.stream({
      path: "/api/${id}/live",
      access: "read",
      about: "Answers each name with a greeting, and greets everyone now and then.",
      up: Type.Object({ name: Name }),
      down: Greeting,
      async open(socket) {
        sockets.add(socket);
        for await (const { name } of socket.incoming()) socket.send(greet(name));
        sockets.delete(socket);
      },
    });

    ctx.method({
      name: "${id}.greet",
      access: "read",
      about: "Greets by name.",
      params: Type.Object({ name: Name }),
      result: Greeting,
      handler: ({ name }) => greet(name),
    });

    ctx.tool({
      name: "${id.replaceAll("-", "_")}_greet",
      about: "Greets a person by name.",
      input: Type.Object({ name: Name }),
      risk: "read",
      access: "read",
      run: ({ name }) => greet(name).text,
    });
`;
}

function page(id: string): string {
  return `    // The WebUI loads the module as it is: plain JavaScript, no build step.
    ctx.static("/${id}", new URL("panel", import.meta.url), { access: "read" });
    ctx.panel({
      id: "${id}",
      title: "${title(id)}",
      icon: "sparkles",
      module: "/${id}/panel.js",
      access: "read",
    });
`;
}
